import { createPrivateKey, createPublicKey } from 'node:crypto'
import { z } from 'zod'
import { systemClock } from '../../../src/lib/clock.ts'
import { digestBytes, type Hash, signEcdsa, signPkcs1, signPss } from '../digest-signing.ts'
import { badParameter, VaultFault } from './fault.ts'
import { bundleOf, type FakeVersion, itemOf, newSecret, newVersion } from './keys.ts'

/** What is in the vault, and how it behaves. */
export type World = {
  readonly origin: string
  /** By name, in the order in which they were made. */
  readonly keys: Map<string, FakeVersion[]>
  /** Deleted, and not purged: the name is taken. */
  readonly deleted: Set<string>
  /** Actions that no role of the caller's allows. */
  readonly denied: Set<string>
  /** Of versions that are made: how often they are not found, or not listed, before they are. */
  hiddenReads: number
  hiddenLists: number
  /** Keys or versions in a page, where the vault answers fewer than it was asked for. */
  pageMax: number
  /** Whether the last full page says that there is one more, which is empty. */
  hasEmptyLastPage: boolean
  isPremium: boolean
}

export type Asked = {
  readonly method: string
  /** `keys`, the name, the version, the operation. */
  readonly path: readonly string[]
  readonly query: URLSearchParams
  readonly body: unknown
}

export type Action = 'CreateKey' | 'GetKey' | 'ImportKey' | 'ListKeys' | 'Sign' | 'UpdateKey'

/** What roles allow: https://learn.microsoft.com/azure/role-based-access-control/permissions/security#microsoftkeyvault */
export const dataActions: Readonly<Record<Action, string>> = {
  CreateKey: 'create/action',
  GetKey: 'read',
  ImportKey: 'import/action',
  ListKeys: 'read',
  Sign: 'sign/action',
  UpdateKey: 'update/action',
}

export function actionOf({ method, path }: Asked): Action {
  const [root, name, version, operation] = path
  if (root !== 'keys') throw new VaultFault(404, 'NotFound', 'no such resource')
  if (method === 'POST' && version === 'create') return 'CreateKey'
  if (method === 'POST' && (operation === 'sign' || version === 'sign')) return 'Sign'
  if (method === 'GET' && (name === undefined || version === 'versions')) return 'ListKeys'
  if (method === 'GET' && operation === undefined) return 'GetKey'
  if (method === 'PUT' && version === undefined) return 'ImportKey'
  if (method === 'PATCH' && operation === undefined) return 'UpdateKey'
  throw new VaultFault(405, 'MethodNotAllowed', `${method} is not allowed here`)
}

/** https://learn.microsoft.com/rest/api/keyvault/keys/operation-groups */
export const actions: Readonly<Record<Action, (world: World, asked: Asked) => object>> = {
  CreateKey: createKey,
  GetKey: (world, asked) => bundleOf(found(world, asked)),
  ImportKey: importKey,
  ListKeys: listKeys,
  Sign: sign,
  UpdateKey: updateKey,
}

const keyName = /^[\da-zA-Z-]{1,127}$/

/** The version that is named, else the present one. */
function found({ keys }: World, { path: [, name = '', version] }: Asked): FakeVersion {
  const versions = keys.get(name) ?? []
  const named = version !== undefined && version !== 'sign'
  const one = named ? versions.find((each) => each.version === version) : versions.at(-1)
  const isHidden = one !== undefined && one.hiddenReads > 0
  if (isHidden) one.hiddenReads -= 1
  if (one && !isHidden) return one
  const words = `A key with (name/id) ${name}/${version ?? ''} was not found in this key vault.`
  throw new VaultFault(404, 'KeyNotFound', words)
}

const signRequest = z.strictObject({ alg: z.string(), value: z.string().regex(/^[\w-]+$/) })

const hashes: Readonly<Record<string, Hash>> = { 256: 'sha256', 384: 'sha384', 512: 'sha512' }
const curves: Readonly<Record<string, string>> = {
  ES256: 'P-256',
  ES256K: 'P-256K',
  ES384: 'P-384',
  ES512: 'P-521',
}

function sign(world: World, asked: Asked): object {
  const { alg, value } = parsed(signRequest, asked.body)
  const key = usable(found(world, asked))
  if (!key.keyOps.includes('sign')) {
    const words = `Operation sign is not permitted on key ${key.id}`
    throw new VaultFault(403, 'Forbidden', words, 'KeyOperationForbidden')
  }
  const digest = Buffer.from(value, 'base64url')
  const name = hashes[alg.slice(2, 5)]
  if (!name || !/^(?:[RP]S\d{3}|ES\d{3}K?)$/.test(alg)) throw badParameter(`alg ${alg} is unknown`)
  if (digest.length !== digestBytes[name]) throw badParameter('Invalid length of value.')
  const fits = alg.startsWith('ES') ? curves[alg] === key.crv : key.kty.startsWith('RSA')
  if (!fits) throw badParameter(`Key and signing algorithm are incompatible: ${key.id}`)
  return { kid: key.id, value: signatureOf(key, alg, name, digest).toString('base64url') }
}

function signatureOf({ secret }: FakeVersion, alg: string, name: Hash, digest: Buffer): Buffer {
  if (alg.startsWith('ES')) return Buffer.from(signEcdsa(secret, digest, 'compact'))
  const signing = alg.startsWith('PS') ? signPss : signPkcs1
  return Buffer.from(signing(secret, name, digest))
}

/** A disabled, an expired or a young key signs nothing, and shows its public half all the same. */
function usable(key: FakeVersion): FakeVersion {
  const now = systemClock.now() / 1_000
  const refused = (words: string, inner: string) =>
    new VaultFault(403, 'Forbidden', `Operation sign is not allowed on ${words} key.`, inner)
  if (!key.enabled) throw refused('a disabled', 'KeyDisabled')
  if ((key.expiresSeconds ?? Infinity) <= now) throw refused('an expired', 'KeyExpired')
  if ((key.notBeforeSeconds ?? 0) > now) throw refused('a not yet valid', 'KeyNotYetValid')
  return key
}

const attributes = z.strictObject({
  enabled: z.boolean().optional(),
  exportable: z.boolean().optional(),
  exp: z.int().optional(),
  nbf: z.int().optional(),
})
const keyOps = z.array(
  z.enum(['encrypt', 'decrypt', 'sign', 'verify', 'wrapKey', 'unwrapKey', 'import', 'export']),
)
/** https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources#limitations */
const tags = z.record(z.string().max(512), z.string().max(256))
const curve = z.enum(['P-256', 'P-384', 'P-521', 'P-256K'])

const createRequest = z.strictObject({
  kty: z.enum(['RSA', 'RSA-HSM', 'EC', 'EC-HSM']),
  key_size: z.int().optional(),
  key_ops: keyOps.optional(),
  crv: curve.optional(),
  attributes: attributes.default({}),
  tags: tags.default({}),
})

function createKey(world: World, asked: Asked): object {
  const [, name = ''] = asked.path
  const { kty, key_size: size, crv, ...rest } = parsed(createRequest, asked.body)
  assertNew(world, name, kty.endsWith('-HSM'), rest.attributes)
  const isRsa = kty.startsWith('RSA')
  if (isRsa ? crv !== undefined : size !== undefined) throw badParameter('not of this key type')
  if (isRsa && ![2048, 3072, 4096].includes(size ?? 2048)) throw badParameter('key_size is invalid')
  const { privateKey: secret } = newSecret(kty, size, crv)
  const all = isRsa
    ? ['encrypt', 'decrypt', 'sign', 'verify', 'wrapKey', 'unwrapKey']
    : ['sign', 'verify']
  return added(world, { name, secret, kty, crv, keyOps: rest.key_ops ?? all, ...rest })
}

const b64 = z.string().regex(/^[\w-]+$/)
const importRequest = z.strictObject({
  key: z.discriminatedUnion('kty', [
    z.strictObject({
      kty: z.enum(['RSA', 'RSA-HSM']),
      key_ops: keyOps.optional(),
      n: b64,
      e: b64,
      d: b64,
      p: b64,
      q: b64,
      dp: b64,
      dq: b64,
      qi: b64,
    }),
    z.strictObject({
      kty: z.enum(['EC', 'EC-HSM']),
      crv: curve,
      key_ops: keyOps.optional(),
      x: b64,
      y: b64,
      d: b64,
    }),
  ]),
  Hsm: z.boolean().default(false),
  attributes: attributes.default({}),
  tags: tags.default({}),
})

function importKey(world: World, asked: Asked): object {
  const [, name = ''] = asked.path
  const { key, Hsm, ...rest } = parsed(importRequest, asked.body)
  const { key_ops: ops, ...jwk } = key
  assertNew(world, name, Hsm, rest.attributes)
  const bare = { ...jwk, kty: jwk.kty.replace('-HSM', '') }
  const secret = createPrivateKey({ key: bare, format: 'jwk' })
  const bits = createPublicKey(secret).asymmetricKeyDetails?.modulusLength ?? 2048
  if (![2048, 3072, 4096].includes(bits)) throw badParameter('key size is not supported')
  const crv = 'crv' in jwk ? jwk.crv : undefined
  const kty = Hsm ? `${bare.kty}-HSM` : bare.kty
  // Without operations it has none that sign: https://learn.microsoft.com/rest/api/keyvault/keys/import-key
  return added(world, { name, secret, kty, crv, keyOps: ops ?? [], ...rest })
}

type Attributes = z.infer<typeof attributes>

function assertNew(
  { deleted, isPremium }: World,
  name: string,
  isHsm: boolean,
  { exportable = false }: Attributes,
): void {
  if (!keyName.test(name)) throw badParameter(`The request URI contains an invalid name: ${name}`)
  if (exportable) throw badParameter('exportable keys must have release policy')
  if (isHsm && !isPremium) throw badParameter('HSM keys are not supported in a standard vault')
  if (!deleted.has(name)) return
  const words = `Key ${name} is currently in a deleted but recoverable state`
  throw new VaultFault(409, 'Conflict', words, 'ObjectIsDeletedButRecoverable')
}

type Made = Pick<FakeVersion, 'name' | 'secret' | 'kty' | 'crv' | 'keyOps' | 'tags'> & {
  readonly attributes: Attributes
}

function added(world: World, { attributes: asked, ...part }: Made): object {
  const version = newVersion({
    ...part,
    origin: world.origin,
    enabled: asked.enabled ?? true,
    expiresSeconds: asked.exp,
    notBeforeSeconds: asked.nbf,
    hiddenReads: world.hiddenReads,
    hiddenLists: world.hiddenLists,
  })
  world.keys.set(part.name, [...(world.keys.get(part.name) ?? []), version])
  return bundleOf(version)
}

const updateRequest = z.strictObject({
  attributes: attributes.default({}),
  key_ops: keyOps.optional(),
  tags: tags.optional(),
})

function updateKey(world: World, asked: Asked): object {
  const key = found(world, asked)
  const { attributes: asks, tags: tagged, key_ops: ops } = parsed(updateRequest, asked.body)
  if (asks.enabled !== undefined) key.enabled = asks.enabled
  if (tagged) key.tags = tagged
  if (ops) key.keyOps = ops
  return bundleOf(key)
}

function listKeys(world: World, { path: [, name], query }: Asked): object {
  const all = name === undefined ? newestOfEach(world) : (world.keys.get(name) ?? [])
  const listed = all.filter((version) => {
    if (version.hiddenLists === 0) return true
    version.hiddenLists -= 1
    return false
  })
  const asked = Number(query.get('maxresults') ?? 25)
  if (!Number.isInteger(asked) || asked < 1 || asked > 25)
    throw badParameter('maxresults is invalid')
  const from = Number(query.get('$skiptoken') ?? 0)
  const to = from + Math.min(asked, world.pageMax)
  const isMore = to < listed.length || (world.hasEmptyLastPage && from < listed.length)
  const where = name === undefined ? '/keys' : `/keys/${name}/versions`
  const version = query.get('api-version')
  return {
    value: listed
      .slice(from, to)
      .map((one) => itemOf(one, name === undefined ? `${world.origin}/keys/${one.name}` : one.id)),
    nextLink: isMore
      ? `${world.origin}${where}?api-version=${version}&$skiptoken=${to}&maxresults=${asked}`
      : null,
  }
}

function newestOfEach({ keys }: World): FakeVersion[] {
  return [...keys.values()].flatMap((versions) => versions.at(-1) ?? [])
}

function parsed<T>(schema: z.ZodType<T>, body: unknown): T {
  const result = schema.safeParse(body)
  if (result.success) return result.data
  const { path = [], message = '' } = result.error.issues[0] ?? {}
  throw badParameter(`Property ${path.join('.')} has invalid value: ${message}`)
}
