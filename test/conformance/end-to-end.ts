import type { KeyObject } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import { hash } from 'node:crypto'
import { jwtVerify } from 'jose'
import { expect } from 'vitest'
import {
  type Algorithm,
  algorithm,
  type AlgorithmName,
  type MacAlgorithm,
  signsHash,
} from '../../src/signing/algorithms.ts'
import type { StartOptions } from '../support/chancery.ts'
import { figure } from '../support/figure.ts'
import { type Home, withKey } from '../support/home.ts'
import type { Serving } from '../support/serving.ts'
import { nodeVerifies } from './verifiers.ts'

/** A vault that the whole program is put to, and what the vendor's own SDK, or nobody but Node, says of it. */
export interface EndToEnd {
  readonly provider: string
  /** With keys of `withEveryAlgorithm`. */
  readonly home: Home
  readonly algorithms: readonly AlgorithmName[]
  readonly options?: StartOptions
  /** Fetched from the vault. */
  readonly publicKey: (resource: string) => Promise<KeyObject>
  /** Asked of the vault, which alone has the secret. */
  readonly verifiesMac?: (
    resource: string,
    row: MacAlgorithm,
    message: Uint8Array,
    mac: Uint8Array,
  ) => Promise<boolean>
}

const issuer = 'https://acme.example'

/** Two keys of each algorithm in a vault, one for JWTs and one for bytes, which the caller of `init` may use. */
export function withEveryAlgorithm(
  text: string,
  vault: string,
  algorithms: readonly AlgorithmName[],
): string {
  const rows = algorithms.map((name) => algorithm(name))
  const keys = rows.flatMap((row) => {
    const bits = row.kty === 'RSA' ? ', modulusBits: 2048' : ''
    const start = `vault: ${vault}, alg: ${row.name}${bits}`
    const bytes = `${bytesKey(row)}: { ${start}, purpose: bytes }`
    const jwt = `${jwtKey(row)}: { ${start}, profile: { name: generic-jwt, issuer: '${issuer}' } }`
    return row.kty === 'oct' ? [bytes] : [bytes, jwt]
  })
  const grants = rows.flatMap((row) => {
    const operations = signsHash(row) ? 'sign-message, sign-digest' : 'sign-message'
    const claims = 'maxLifetime: 15m, claims: { sub: { text: 20 } }'
    const bytes = `key: ${bytesKey(row)}, operations: [${operations}]`
    const jwt = `key: ${jwtKey(row)}, operations: [sign-claims], ${claims}`
    return row.kty === 'oct' ? [bytes] : [bytes, jwt]
  })
  const granted = grants.map((grant) => `  - { caller: first-caller, ${grant} }\n`)
  return `${keys.reduce(withKey, text)}${granted.join('')}`
}

const bytesKey = ({ name }: Algorithm) => `bytes-${name.toLowerCase()}`
const jwtKey = ({ name }: Algorithm) => `jwt-${name.toLowerCase()}`

type Form = 'claims' | 'message' | 'digest'
type Signed = { readonly alg: AlgorithmName; readonly form: Form; readonly verdict: string }

/**
 * `rotate` makes the keys, `serve` signs with each in every form that it has, over HTTP, and nothing but what
 * the vault itself gives out verifies it.
 *
 * @returns of every signature what came of it: `genuine`, or else in words.
 */
export async function signedOverHttp(harness: EndToEnd): Promise<readonly Signed[]> {
  const { algorithms, home, options, provider } = harness
  const rotated = await home.json(['rotate'], options)
  expect(rotated).toMatchObject({ exitCode: 0, document: { verdict: 'done', failures: [] } })
  await using serving = await home.serve(options)
  const signed: Signed[] = []
  for (const row of algorithms.map((name) => algorithm(name))) {
    for (const form of formsOf(row)) {
      const verdict = await verdictOf(harness, serving, row, form)
      signed.push({ alg: row.name, form, verdict })
    }
  }
  expect((await serving.stop()).exitCode).toBe(0)
  expect(await home.json(['audit', 'verify'], options)).toMatchObject({
    exitCode: 0,
    document: { verdict: 'whole', unsettled: 0 },
  })
  const unexpected = signed.filter(({ verdict }) => verdict !== 'genuine').length
  figure(
    `${provider}: ${algorithms.length} algorithms, ${signed.length} signatures over HTTP, ${unexpected} unexpected`,
  )
  return signed
}

function formsOf(row: Algorithm): readonly Form[] {
  if (row.kty === 'oct') return ['message']
  return signsHash(row) ? ['claims', 'message', 'digest'] : ['claims', 'message']
}

async function verdictOf(
  { home, publicKey, verifiesMac }: EndToEnd,
  serving: Serving,
  row: Algorithm,
  form: Form,
): Promise<string> {
  const key = form === 'claims' ? jwtKey(row) : bytesKey(row)
  const message = Buffer.from(`the message of ${key}`)
  const { status, text, body } = await serving.ask(key, bodyOf(row, form, message))
  if (status !== 200) return text
  const resource = resourceOf(home, key)
  const signature = Buffer.from(body.signature ?? '', 'base64url')
  if (row.kty === 'oct') {
    const isGenuine = await verifiesMac?.(resource, row, message, signature)
    return isGenuine === true ? 'genuine' : 'the vault does not know the MAC'
  }
  const fetched = await publicKey(resource)
  if (form === 'claims') return jwtVerdict(body.jwt ?? '', fetched, row)
  return nodeVerifies(fetched, row, message, signature) ? 'genuine' : 'it does not verify'
}

function bodyOf(row: Algorithm, form: Form, message: Buffer): object {
  if (form === 'claims') return { claims: { sub: row.name } }
  if (form === 'message') return { message: message.toString('base64') }
  if (!signsHash(row)) throw new TypeError(`${row.name} signs no digests`)
  return { digest: hash(row.hash, message, 'base64') }
}

async function jwtVerdict(jwt: string, key: KeyObject, { name }: Algorithm): Promise<string> {
  const { payload } = await jwtVerify(jwt, key, { algorithms: [name], issuer })
  return payload.sub === name ? 'genuine' : `a JWT about ${payload.sub}`
}

/** Read behind the program's back. */
export function resourceOf({ at }: Home, key: string): string {
  const database = new DatabaseSync(at('chancery.db'), { readOnly: true })
  const row = database.prepare('select resource, custody from versions where key = ?').get(key)
  database.close()
  expect(row?.['custody']).toBe('kms-generated')
  return String(row?.['resource'])
}
