import { createPrivateKey, generateKeyPairSync, randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { exportJWK, SignJWT } from 'jose'
import { readMasterKeys } from '../../providers/local/master-key.ts'
import { listResources, readSealedFile, unseal } from '../../providers/local/sealed-file.ts'
import { systemClock } from '../../src/lib/clock.ts'
import type { Canary, Haystack } from './canaries.ts'
import type { Home } from './home.ts'
import { secured } from './secured-home.ts'

const issuer = 'https://issuer.example'

/** A home with a secret in every place that has one, and the secrets themselves. */
export type Planted = {
  readonly home: Home
  /** Where everything temporary goes. */
  readonly env: Readonly<Record<string, string>>
  readonly token: string
  readonly claim: string
  readonly claimName: string
  readonly message: Buffer
}

/** TLS, an HMAC key beside the first one, and a caller by OIDC whose issuer's keys are in a file. */
export async function plant(copy: Home): Promise<Planted> {
  const home = secured(copy)
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = { ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256', use: 'sig' }
  writeFileSync(home.at('jwks.json'), JSON.stringify({ keys: [jwk] }))
  const oidc = `oidc: { issuer: '${issuer}', audience: chancery, match: { sub: app }, algorithms: [ES256], jwksFile: ./var/jwks.json }`
  home.edit((text) =>
    text
      .replace('\ncallers:', '\n  mac: { vault: local, alg: HS256, purpose: bytes }\ncallers:')
      .replace('first-caller: {', `first-caller: { ${oidc},`)
      .concat('  - { caller: first-caller, key: mac, operations: [sign-message] }\n'),
  )
  const rotated = await home.run(['rotate'])
  if (rotated.exitCode !== 0) throw new Error(rotated.stderr)
  const now = Math.floor(systemClock.now() / 1_000)
  const token = await new SignJWT({ sub: 'app', private: randomBytes(16).toString('hex') })
    .setProtectedHeader({ alg: 'ES256', kid: 'one' })
    .setIssuer(issuer)
    .setAudience('chancery')
    .setIssuedAt(now)
    .setExpirationTime(now + 600)
    .sign(privateKey)
  const temporary = join(home.directory, 'tmp')
  mkdirSync(temporary)
  return {
    home,
    env: { TMPDIR: temporary },
    token,
    claim: randomBytes(24).toString('hex'),
    claimName: randomBytes(24).toString('hex'),
    message: randomBytes(48),
  }
}

/** What must stand nowhere but in its own file; read now, since versions and master keys change. */
export async function secretsOf({ home, token }: Planted): Promise<readonly Canary[]> {
  const { at, apiKey } = home
  const [, payload = '', signature = ''] = token.split('.')
  return [
    { name: 'master key', secret: readFileSync(at('master.key')) },
    { name: 'audit digest key', secret: readFileSync(at('audit-digest.key')) },
    { name: 'API key', secret: Buffer.from(apiKey) },
    { name: 'API key’s secret', secret: Buffer.from(apiKey.slice('chn_'.length + 11, -6)) },
    { name: 'OIDC token', secret: Buffer.from(token) },
    { name: 'OIDC token’s payload', secret: Buffer.from(payload, 'base64url') },
    { name: 'OIDC token’s signature', secret: Buffer.from(signature, 'base64url') },
    ...keyForms('TLS', createPrivateKey(readFileSync(at('tls.key')))),
    // PEM is base64 with line feeds in it: one of its lines is enough.
    {
      name: 'TLS PEM',
      secret: Buffer.from(readFileSync(at('tls.key'), 'utf8').split('\n')[1] ?? ''),
    },
    ...(await sealedSecrets(home)),
  ]
}

/** What callers sent: it may stand in what they are answered, and nowhere else. */
export function contentsOf({ claim, claimName, message }: Planted): readonly Canary[] {
  return [
    { name: 'claim', secret: Buffer.from(claim) },
    { name: 'name of a claim', secret: Buffer.from(claimName) },
    { name: 'message', secret: message },
  ]
}

function keyForms(name: string, key: ReturnType<typeof createPrivateKey>): readonly Canary[] {
  const { d = '' } = key.export({ format: 'jwk' })
  return [
    { name: `${name} PKCS#8`, secret: key.export({ type: 'pkcs8', format: 'der' }) },
    { name: `${name} d`, secret: Buffer.from(d, 'base64url') },
  ]
}

async function sealedSecrets({ at }: Home): Promise<readonly Canary[]> {
  const config = { directory: at('vault'), masterKeyFile: at('master.key') }
  using keys = await readMasterKeys(config.masterKeyFile)
  const resources = await listResources(config.directory)
  const secrets = resources.map(async (resource): Promise<readonly Canary[]> => {
    const file = await readSealedFile(config.directory, resource)
    const material = Buffer.from(unseal(file, keys))
    if (file.algorithm === 'HS256') return [{ name: 'HMAC secret', secret: material }]
    const key = createPrivateKey({ key: material, format: 'der', type: 'pkcs8' })
    return [{ name: 'key material', secret: material }, ...keyForms('key', key)]
  })
  return (await Promise.all(secrets)).flat()
}

/** The files that are secrets. */
export const secretFiles = ['master.key', 'audit-digest.key', 'caller.header', 'tls.key'].map(
  (name) => join('var', name),
)

/** Everything on the disk, database, write-ahead log and temporary files included. */
export function filesOf({ directory }: Home): readonly Haystack[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(join(directory, name)).isFile())
    .map((name) => ({ name, content: readFileSync(join(directory, name)) }))
}
