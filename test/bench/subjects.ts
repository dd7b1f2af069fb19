import type { KeyPairKeyObjectResult } from 'node:crypto'
import { generateKeyPairSync } from 'node:crypto'

export type SignatureAlgorithm = 'RS256' | 'ES256' | 'EdDSA'

/** A key whose signatures are counted beside Node's own loop over the same primitive. */
export type SignatureSubject = {
  /** For `--only`, and the key's name in the configuration. */
  readonly name: string
  readonly label: string
  readonly algorithm: SignatureAlgorithm
  readonly modulusBits: number | undefined
  /** Service requests per second ÷ raw signatures per second. */
  readonly ratioMin: number
}

export const es256: SignatureSubject = {
  name: 'es256',
  label: 'ES256',
  algorithm: 'ES256',
  modulusBits: undefined,
  ratioMin: 0.15,
}

export const rsa2048 = rsa(2048, 0.66)

export const signatureSubjects: readonly SignatureSubject[] = [
  rsa2048,
  rsa(3072, 0.72),
  rsa(4096, 0.8),
  es256,
  { name: 'eddsa', label: 'EdDSA', algorithm: 'EdDSA', modulusBits: undefined, ratioMin: 0.2 },
]

export const hs256 = { name: 'hs256', label: 'HS256' } as const

/** The embedded registry, with so many apps of three keys each. */
export const jwksSubjects = [
  { name: 'jwks-1', label: 'JWKS, 1 app', apps: 1 },
  { name: 'jwks-1000', label: 'JWKS, 1,000 apps', apps: 1_000 },
] as const

/** CPU of one HS256 request ÷ CPU of one at a server that only echoes JSON. */
export const hs256CpuRatioMax = 1.6

/** p50 of the service ÷ p50 of a server that only signs, at the same rate of arrivals. */
export const openLoopRatioMax = 2
export const openLoopLoad = 0.4

/** How much the p99 of healthy callers may move beside slow ones: this, or a fifth. */
export const slow = {
  name: 'slow',
  label: 'slow clients',
  connections: 500,
  movedMsMax: 5,
} as const

/** Whether time tells what answers do not; its key is there, and granted to nobody. */
export const existence = { name: 'existence', tMax: 4.5, ungrantedKey: 'unshared00' } as const

/** Keys in vaults over a network: what that costs, and what one vault's trouble costs another's keys. */
export const vaults = {
  name: 'vaults',
  behaviours: {
    steady: { delayMs: 5 },
    troubled: { delayMs: 5 },
    limited: { delayMs: 5, perSecondMax: 100 },
  },
  ratePerSecond: 500,
  p50MsMax: 1.5,
  p99MsMax: 10,
  neighbourPerSecond: 200,
  troublePerSecond: 100,
  quickMs: 5,
  slowMs: 5_000,
  movedMsMax: 5,
  /** Of the service, for the vault that takes as much. */
  quotaPerSecond: 100,
} as const

export const rssMbMax = 180
export const firstSignatureMsMax = 500

/** What `--only` may name. */
export const measurementNames: readonly string[] = [
  'start',
  'rss',
  ...signatureSubjects.map(({ name }) => name),
  hs256.name,
  `open-${es256.name}`,
  `open-${rsa2048.name}`,
  'jwks',
  slow.name,
  existence.name,
  vaults.name,
]

export function keyPairFor(
  algorithm: SignatureAlgorithm,
  modulusBits: number | undefined,
): KeyPairKeyObjectResult {
  switch (algorithm) {
    case 'RS256':
      return generateKeyPairSync('rsa', { modulusLength: modulusBits ?? 2048 })
    case 'ES256':
      return generateKeyPairSync('ec', { namedCurve: 'P-256' })
    case 'EdDSA':
      return generateKeyPairSync('ed25519')
  }
}

function rsa(modulusBits: number, ratioMin: number): SignatureSubject {
  const label = `RSA-${modulusBits}`
  return { name: `rsa${modulusBits}`, label, algorithm: 'RS256', modulusBits, ratioMin }
}
