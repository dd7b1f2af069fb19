import { z } from 'zod'
import type { Bytes } from '../../src/lib/bytes.ts'
import { encodeBytes } from '../../src/lib/bytes.ts'
import type { Algorithm } from '../../src/signing/algorithms.ts'
import { type PublicJwk, publicKeyFromJwk } from '../../src/signing/public-jwk.ts'
import { assertFits } from '../../src/signing/public-key.ts'
import type { Custody } from '../../src/signing/signer.ts'
import { azureAlgorithms } from './algorithms.ts'
import type { AzureClient } from './client.ts'
import { keyUnusable } from './errors.ts'
import type { KeySize } from './quota.ts'

type VaultKey = Awaited<ReturnType<AzureClient['getKey']>>

/** A version that can only sign: where it is, and what it shows. */
export type Inspected = {
  readonly id: string
  readonly custody: Custody
  /** DER SubjectPublicKeyInfo. */
  readonly spki: Bytes
  readonly size: KeySize
  readonly key: VaultKey
}

const bytes = z.instanceof(Uint8Array)

/** https://learn.microsoft.com/rest/api/keyvault/keys/get-key/get-key#keybundle, as the SDK hands it on. */
const vaultKey = z.object({
  id: z.string(),
  keyOperations: z.array(z.string()),
  key: z.discriminatedUnion('kty', [
    z.object({ kty: z.enum(['RSA', 'RSA-HSM']), n: bytes, e: bytes }),
    z.object({ kty: z.enum(['EC', 'EC-HSM']), crv: z.string(), x: bytes, y: bytes }),
  ]),
  properties: z.object({
    enabled: z.boolean(),
    exportable: z.boolean().default(false),
    expiresOn: z.date().optional(),
    notBefore: z.date().optional(),
    managed: z.boolean().default(false),
    releasePolicy: z.unknown(),
    tags: z.record(z.string(), z.string()).default({}),
  }),
})
type Found = z.infer<typeof vaultKey>

/** What a key that signs may do; both need no more than signing does. */
const operations: readonly string[] = ['sign', 'verify']

/**
 * Proves from the vault's own attributes that a version can only sign, and only there. One request.
 *
 * @param resource without a version, the present one is taken, and named in the answer.
 * @throws {ServiceError} `vault_key_unusable` with the reason, or `vault_*`.
 */
export async function inspect(
  client: AzureClient,
  resource: Resource,
  row: Algorithm,
  now: number,
  signal: AbortSignal,
): Promise<Inspected> {
  const { name, version, id } = resource
  const key = await client.getKey(name, version, signal)
  const { data: found } = vaultKey.safeParse(key)
  if (!found) throw keyUnusable('The key is of no kind that signs here', id)
  const isAsked = version === undefined ? isVersionOf(found.id, id) : found.id === id
  const refusal = isAsked ? refusalOf(found, row, now) : 'The vault answered for another key'
  if (refusal !== undefined) throw keyUnusable(refusal, id)
  const { spki, object } = publicKeyFromJwk(publicJwkOf(found.key))
  assertFits(object, row)
  const modulusBits = object.asymmetricKeyDetails?.modulusLength
  const size = { kty: found.key.kty, modulusBits }
  return { id: found.id, custody: custodyOf(found), spki, size, key }
}

/** Why the key is not one that can only sign; undefined for one that is. */
function refusalOf(
  { key, keyOperations, properties }: Found,
  { name }: Algorithm,
  now: number,
): string | undefined {
  const { enabled, exportable, expiresOn, notBefore, managed, releasePolicy } = properties
  if (managed) return 'The key belongs to a certificate, which can be taken out with it'
  if (exportable || releasePolicy !== undefined) return 'The key can leave the vault'
  const other = keyOperations.find((operation) => !operations.includes(operation))
  if (other !== undefined) return 'The key can do more than sign'
  if (!keyOperations.includes('sign')) return 'The key is not for signing'
  if (!fits(key, name)) return `The key does not fit ${name}`
  if (!enabled) return 'The key is disabled'
  if (expiresOn && expiresOn.getTime() <= now) return 'The key has expired'
  if (notBefore && notBefore.getTime() > now) return 'The key is not valid yet'
  return undefined
}

function fits(key: Found['key'], name: Algorithm['name']): boolean {
  const kind = azureAlgorithms[name]
  if (!('crv' in key)) return kind?.kty === 'RSA'
  return kind?.kty === 'EC' && kind.crv === key.crv
}

/** On every version that was imported, since the vault itself does not say so. */
export const importedTag = 'chancery:imported'

/**
 * Keys that are no HSM's are kept by the vault all the same. Nothing attests where one was made: an imported
 * key has the attributes of a generated one, and only our tag tells ours. Who else may import is a question of
 * roles, and in the vault's own log.
 * https://learn.microsoft.com/rest/api/keyvault/keys/get-key/get-key#keybundle
 */
function custodyOf({ key, properties }: Found): Custody {
  const isImported = properties.tags[importedTag] === 'true'
  if (key.kty.endsWith('-HSM')) return isImported ? 'hsm-imported' : 'hsm-generated'
  return isImported ? 'kms-imported' : 'kms-generated'
}

/** https://www.rfc-editor.org/rfc/rfc7518#section-6.2.1 */
const coordinateBytes: Readonly<Record<string, number>> = { 'P-256': 32, 'P-384': 48, 'P-521': 66 }

/** In the one form of RFC 7518 §6: vaults have shown short coordinates, and leading zeros. */
function publicJwkOf(key: Found['key']): PublicJwk {
  if (!('crv' in key)) return { kty: 'RSA', n: base64url(bare(key.n)), e: base64url(bare(key.e)) }
  const length = coordinateBytes[key.crv] ?? 0
  const coordinate = (part: Uint8Array) => base64url(atLength(bare(part), length))
  return { kty: 'EC', crv: curveOf(key.crv), x: coordinate(key.x), y: coordinate(key.y) }
}

function curveOf(crv: string): 'P-256' | 'P-384' | 'P-521' {
  if (crv === 'P-256' || crv === 'P-384' || crv === 'P-521') return crv
  throw keyUnusable('The key is of no kind that signs here', crv)
}

function bare(number: Uint8Array): Uint8Array {
  const first = number.findIndex((byte) => byte !== 0)
  return first < 0 ? number.subarray(number.length) : number.subarray(first)
}

function atLength(number: Uint8Array, length: number): Uint8Array {
  const whole = new Uint8Array(Math.max(length, number.length))
  whole.set(number, whole.length - number.length)
  return whole
}

const base64url = (part: Uint8Array): string => encodeBytes(part, 'base64url')

/** A key id, taken apart: https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates#object-identifiers */
export type Resource = {
  readonly id: string
  readonly name: string
  /** None in a catalogue, which names keys: the present version is meant. */
  readonly version: string | undefined
}

const path = /^\/keys\/([\da-z-]{1,127})(?:\/([\da-f]{32}))?$/i

/** Before anything is asked. @throws {ServiceError} `vault_key_unusable`. */
export function readResource(id: string, vaultUrl: string): Resource {
  const { origin } = new URL(vaultUrl)
  const isHere = id.startsWith(`${origin}/`)
  const [, name, version] = path.exec(isHere ? id.slice(origin.length) : '') ?? []
  if (name !== undefined) return { id, name, version }
  const isKeyId = /^https:\/\/[^/?#]+\/keys\//.test(id)
  throw keyUnusable(isKeyId ? 'The key is in another vault' : 'Not the id of a key', id)
}

function isVersionOf(id: string, keyId: string): boolean {
  return id.startsWith(`${keyId}/`) && /^[\da-f]{32}$/.test(id.slice(keyId.length + 1))
}
