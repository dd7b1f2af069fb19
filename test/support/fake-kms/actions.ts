import { z } from 'zod'
import { macOf, signDigest, signRaw } from './cryptography.ts'
import { KmsFault, validationFault } from './fault.ts'
import {
  account,
  algorithmsOf,
  type FakeKey,
  metadataOf,
  newFakeKey,
  region,
  secretOf,
  spkiOf,
} from './keys.ts'
import {
  assertExpiration,
  importParameters,
  type ImportParameters,
  materialOf,
  unwrapped,
  wrappingAlgorithms,
  wrappingKeySpecs,
  wrappingPublicKey,
} from './import.ts'
import { pageOf, pageRequest } from './page.ts'

/** What is in the vault, and how it behaves. */
export type World = {
  readonly keys: Map<string, FakeKey>
  /** Name to ARN: pointers that anybody may move. */
  readonly aliases: Map<string, string>
  readonly denied: Set<string>
  /** Whether whoever has this access key may; everybody, unless a test says otherwise. */
  mayCall: (accessKeyId: string, action: string, body: unknown) => boolean
  /** Of keys that are created: how often they are not found, or not listed, before they are. */
  hiddenReads: number
  hiddenLists: number
  /** Keys in a page, where the vault answers fewer than it was asked for. */
  pageMax: number
  /** Whether the last full page says that there is one more, which is empty. */
  hasEmptyLastPage: boolean
  /** By token. */
  readonly importParameters: Map<string, ImportParameters>
  /** Epoch milliseconds. */
  clock: () => number
}

const blob = z.base64().transform((text) => Buffer.from(text, 'base64'))
const keyId = z.string().min(1).max(2_048)
const message = blob.refine(({ length }) => length >= 1 && length <= 4_096)
const dryRun = z.boolean().optional()
/** https://docs.aws.amazon.com/kms/latest/APIReference/API_ListResourceTags.html */
const tagsRequest = pageRequest({ usual: 50, max: 50 }).extend({ KeyId: keyId })

/** https://docs.aws.amazon.com/kms/latest/APIReference/API_Operations.html */
export const actions: Readonly<Record<string, (world: World, body: unknown) => object>> = {
  CancelKeyDeletion: cancelKeyDeletion,
  CreateKey: createKey,
  DescribeKey(world, body) {
    const { KeyId } = parsed(z.object({ KeyId: keyId }), body)
    return { KeyMetadata: metadataOf(found(world, KeyId)) }
  },
  DisableKey: (world, body) => changeState(world, body, 'Disabled'),
  EnableKey: (world, body) => changeState(world, body, 'Enabled'),
  GenerateMac: generateMac,
  GetParametersForImport: getParametersForImport,
  GetPublicKey: getPublicKey,
  ImportKeyMaterial: importKeyMaterial,
  ListKeys: listKeys,
  ListResourceTags(world, body) {
    const { KeyId, ...asked } = parsed(tagsRequest, body)
    const { part, rest } = pageOf(found(world, KeyId).tags, asked)
    return { Tags: part, ...rest }
  },
  ScheduleKeyDeletion: scheduleKeyDeletion,
  Sign: signMessage,
  VerifyMac: verifyMac,
}

const signRequest = z.object({
  KeyId: keyId,
  Message: message,
  MessageType: z.enum(['RAW', 'DIGEST', 'EXTERNAL_MU']).default('RAW'),
  SigningAlgorithm: z.string().refine((name) => Object.values(algorithmsOf).flat().includes(name)),
  DryRun: dryRun,
})

function signMessage(world: World, body: unknown): object {
  const { KeyId, Message, MessageType, SigningAlgorithm, DryRun } = parsed(signRequest, body)
  const key = usable(found(world, KeyId))
  assertUse(key, 'SIGN_VERIFY', SigningAlgorithm)
  if (DryRun)
    throw new KmsFault('DryRunOperationException', 'The request would have succeeded.', 412)
  const signing = MessageType === 'RAW' ? signRaw : signDigest
  const signature = signing(secretOf(key), SigningAlgorithm, Message)
  return { KeyId: key.arn, Signature: base64(signature), SigningAlgorithm }
}

const macRequest = z.object({
  KeyId: keyId,
  Message: message,
  MacAlgorithm: z.enum(['HMAC_SHA_224', 'HMAC_SHA_256', 'HMAC_SHA_384', 'HMAC_SHA_512']),
  DryRun: dryRun,
})

function generateMac(world: World, body: unknown): object {
  const { KeyId, Message, MacAlgorithm, DryRun } = parsed(macRequest, body)
  const key = usable(found(world, KeyId))
  assertUse(key, 'GENERATE_VERIFY_MAC', MacAlgorithm)
  if (DryRun)
    throw new KmsFault('DryRunOperationException', 'The request would have succeeded.', 412)
  return { KeyId: key.arn, Mac: base64(macOf(secretOf(key), MacAlgorithm, Message)), MacAlgorithm }
}

/** https://docs.aws.amazon.com/kms/latest/APIReference/API_VerifyMac.html */
const verifyMacRequest = macRequest.extend({
  Mac: blob.refine(({ length }) => length >= 1 && length <= 6_144),
})

function verifyMac(world: World, body: unknown): object {
  const { Mac, ...asked } = parsed(verifyMacRequest, body)
  const key = usable(found(world, asked.KeyId))
  assertUse(key, 'GENERATE_VERIFY_MAC', asked.MacAlgorithm)
  if (asked.DryRun)
    throw new KmsFault('DryRunOperationException', 'The request would have succeeded.', 412)
  if (!Mac.equals(macOf(secretOf(key), asked.MacAlgorithm, asked.Message)))
    throw new KmsFault('KMSInvalidMacException', `${key.arn} made no such MAC.`)
  return { KeyId: key.arn, MacAlgorithm: asked.MacAlgorithm, MacValid: true }
}

function getPublicKey(world: World, body: unknown): object {
  const key = found(world, parsed(z.object({ KeyId: keyId }), body).KeyId)
  if (key.usage === 'GENERATE_VERIFY_MAC' || key.spec === 'SYMMETRIC_DEFAULT') {
    throw new KmsFault('UnsupportedOperationException', `${key.arn} has no public key.`)
  }
  // A disabled key still shows its public half: that it is shown proves nothing.
  if (key.state !== 'Disabled') usable(key)
  return {
    KeyId: key.arn,
    KeySpec: key.spec,
    KeyUsage: key.usage,
    PublicKey: base64(spkiOf(key)),
    SigningAlgorithms: key.algorithms,
  }
}

const createRequest = z.object({
  KeySpec: z.string().default('SYMMETRIC_DEFAULT'),
  KeyUsage: z.string().default('ENCRYPT_DECRYPT'),
  Origin: z.enum(['AWS_KMS', 'EXTERNAL', 'AWS_CLOUDHSM', 'EXTERNAL_KEY_STORE']).default('AWS_KMS'),
  MultiRegion: z.boolean().default(false),
  BypassPolicyLockoutSafetyCheck: z.boolean().default(false),
  Description: z.string().max(8_192).default(''),
  Tags: z.array(z.object({ TagKey: z.string().min(1), TagValue: z.string() })).default([]),
})

function createKey(world: World, body: unknown): object {
  const asked = parsed(createRequest, body)
  const { KeySpec: spec, KeyUsage: usage, Tags: tags } = asked
  if (!Object.hasOwn(algorithmsOf, spec)) throw validationFault(`KeySpec ${spec} is unknown.`)
  const own = newUsage(spec)
  if (usage !== own && !(spec.startsWith('RSA') && usage === 'ENCRYPT_DECRYPT')) {
    throw validationFault(`KeyUsage ${usage} is not compatible with KeySpec ${spec}`)
  }
  if (tags.some(({ TagKey }) => /^aws:/i.test(TagKey))) {
    throw new KmsFault('TagException', 'Tags beginning with aws: are reserved.')
  }
  const key = newFakeKey(spec, {
    usage,
    tags,
    description: asked.Description,
    origin: asked.Origin,
    multiRegion: asked.MultiRegion,
    state: asked.Origin === 'EXTERNAL' ? 'PendingImport' : 'Enabled',
    hiddenReads: world.hiddenReads,
    hiddenLists: world.hiddenLists,
  })
  world.keys.set(key.arn, key)
  return { KeyMetadata: metadataOf(key) }
}

function newUsage(spec: string): string {
  if (spec === 'SYMMETRIC_DEFAULT') return 'ENCRYPT_DECRYPT'
  return spec.startsWith('HMAC') ? 'GENERATE_VERIFY_MAC' : 'SIGN_VERIFY'
}

/** https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html#key-state-table */
function changeState(world: World, body: unknown, to: 'Enabled' | 'Disabled'): object {
  const key = found(world, parsed(z.object({ KeyId: keyId }), body).KeyId)
  if (key.state !== 'Enabled' && key.state !== 'Disabled') throw invalidState(key)
  key.state = to
  return {}
}

const deletionRequest = z.object({
  KeyId: keyId,
  PendingWindowInDays: z.int().min(7).max(30).default(30),
})

function scheduleKeyDeletion(world: World, body: unknown): object {
  const { KeyId, PendingWindowInDays } = parsed(deletionRequest, body)
  const key = found(world, KeyId)
  if (key.state === 'PendingDeletion') throw invalidState(key)
  key.state = 'PendingDeletion'
  key.deletionDate = world.clock() / 1_000 + PendingWindowInDays * 86_400
  return {
    KeyId: key.arn,
    DeletionDate: key.deletionDate,
    KeyState: key.state,
    PendingWindowInDays,
  }
}

/** What was to be deleted is there again, and disabled. */
function cancelKeyDeletion(world: World, body: unknown): object {
  const key = found(world, parsed(z.object({ KeyId: keyId }), body).KeyId)
  if (key.state !== 'PendingDeletion') throw invalidState(key)
  key.state = 'Disabled'
  key.deletionDate = undefined
  return { KeyId: key.arn }
}

const parametersRequest = z.object({
  KeyId: keyId,
  WrappingAlgorithm: z.enum(wrappingAlgorithms),
  WrappingKeySpec: z.enum(wrappingKeySpecs),
})

function getParametersForImport(world: World, body: unknown): object {
  const { KeyId, WrappingAlgorithm, WrappingKeySpec } = parsed(parametersRequest, body)
  const key = importable(found(world, KeyId))
  const now = world.clock()
  const { token, parameters } = importParameters(key, WrappingAlgorithm, WrappingKeySpec, now)
  world.importParameters.set(token, parameters)
  return {
    KeyId: key.arn,
    ImportToken: token,
    ParametersValidTo: parameters.validTo / 1_000,
    PublicKey: base64(wrappingPublicKey(parameters)),
  }
}

const importRequest = z.object({
  KeyId: keyId,
  ImportToken: z.base64().max(8_192),
  EncryptedKeyMaterial: blob.refine(({ length }) => length >= 1 && length <= 6_144),
  ExpirationModel: z
    .enum(['KEY_MATERIAL_EXPIRES', 'KEY_MATERIAL_DOES_NOT_EXPIRE'])
    .default('KEY_MATERIAL_EXPIRES'),
  ValidTo: z.number().optional(),
})

/** https://docs.aws.amazon.com/kms/latest/APIReference/API_ImportKeyMaterial.html */
function importKeyMaterial(world: World, body: unknown): object {
  const asked = parsed(importRequest, body)
  assertExpiration(asked.ExpirationModel, asked.ValidTo)
  const key = importable(found(world, asked.KeyId))
  const parameters = world.importParameters.get(asked.ImportToken)
  if (parameters?.arn !== key.arn) {
    throw new KmsFault('InvalidImportTokenException', `the token is not one of ${key.arn}`)
  }
  if (parameters.validTo <= world.clock()) {
    throw new KmsFault('ExpiredImportTokenException', `the token of ${key.arn} has expired`)
  }
  const secret = materialOf(key, unwrapped(parameters, asked.EncryptedKeyMaterial))
  if (key.secret && !key.secret.equals(secret)) {
    throw new KmsFault('IncorrectKeyMaterialException', `${key.arn} was given other material`)
  }
  key.secret = secret
  if (key.state === 'PendingImport') key.state = 'Enabled'
  return { KeyId: key.arn }
}

function importable(key: FakeKey): FakeKey {
  if (key.origin !== 'EXTERNAL') {
    const words = `${key.arn} origin is ${key.origin} which is not valid for this operation.`
    throw new KmsFault('UnsupportedOperationException', words)
  }
  if (key.state.startsWith('PendingDeletion')) throw invalidState(key)
  return key
}

const listRequest = pageRequest({ usual: 100, max: 1_000 })

function listKeys(world: World, body: unknown): object {
  const { Limit, Marker } = parsed(listRequest, body)
  const listed = [...world.keys.values()].filter((key) => isListed(key))
  const asked = { Limit: Math.min(Limit, world.pageMax), Marker }
  const { part, rest } = pageOf(listed, asked, world.hasEmptyLastPage)
  return { Keys: part.map(({ arn, id }) => ({ KeyArn: arn, KeyId: id })), ...rest }
}

function isListed(key: FakeKey): boolean {
  key.hiddenLists -= 1
  return key.hiddenLists < 0
}

/** By key id, ARN or alias, as KMS takes them. */
function found({ keys, aliases }: World, name: string): FakeKey {
  const own = `arn:aws:kms:${region}:${account}:`
  if (name.startsWith('arn:') && !/^arn:aws:kms:[\w-]+:\d{12}:(?:key|alias)\/./.test(name)) {
    throw new KmsFault('InvalidArnException', `Invalid arn ${name}`)
  }
  if (name.startsWith('arn:') && name.split(':')[4] !== account) throw denial('this action', name)
  const pointer = name.startsWith(own) ? name.slice(own.length) : name
  const arn = aliases.get(pointer) ?? `${own}key/${pointer.replace(/^key\//, '')}`
  const key = name.startsWith('arn:') && !name.startsWith(own) ? undefined : keys.get(arn)
  if (!key || key.hiddenReads > 0) {
    if (key) key.hiddenReads -= 1
    throw new KmsFault('NotFoundException', `Key '${name}' does not exist`)
  }
  if (key.isForbidden) throw denial('this action', key.arn)
  return key
}

export function denial(action: string, resource: string): KmsFault {
  const who = `arn:aws:sts::${account}:assumed-role/signer/i-0abc`
  const words = `User: ${who} is not authorized to perform: ${action} on resource: ${resource}`
  return new KmsFault('AccessDeniedException', words)
}

/** https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html */
function usable(key: FakeKey): FakeKey {
  if (key.state === 'Enabled') return key
  if (key.state === 'Disabled') throw new KmsFault('DisabledException', `${key.arn} is disabled.`)
  throw invalidState(key)
}

function invalidState({ arn, state }: FakeKey): KmsFault {
  return new KmsFault('KMSInvalidStateException', `${arn} is in state ${state}.`)
}

function assertUse(key: FakeKey, usage: string, algorithm: string): void {
  const fits = key.usage === usage && (algorithmsOf[key.spec] ?? []).includes(algorithm)
  if (fits) return
  const words = `${key.arn} key usage is ${key.usage} which is not valid for ${algorithm}.`
  throw new KmsFault('InvalidKeyUsageException', words)
}

function parsed<T>(schema: z.ZodType<T>, body: unknown): T {
  const result = schema.safeParse(body)
  if (result.success) return result.data
  const { path = [], message: words = '' } = result.error.issues[0] ?? {}
  throw validationFault(`1 validation error detected: Value at '${path.join('.')}': ${words}`)
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
