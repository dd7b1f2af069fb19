import { constants, hash, type KeyObject, sign } from 'node:crypto'
import { p256, p384, p521 } from '@noble/curves/nist.js'
import type { PublicAlgorithm } from '../../src/signing/algorithms.ts'

/** What a vault answers, as JSON. */
export type VaultAnswer = Readonly<Record<string, unknown>>

/** How a vault writes an answer. */
export type Wire = {
  /** The members that hold the signature, and the key's name. */
  readonly signature: string
  readonly key: string
  readonly alphabet: 'base64' | 'base64url'
  /** Of r || s, where that is not what goes over the wire. */
  readonly encoded: (jose: Buffer, row: PublicAlgorithm) => Buffer
  /** Of this vault alone, by kind. */
  readonly others: (row: PublicAlgorithm, signature: Buffer) => Ways<VaultAnswer>
}

/** What was asked, and what the test knows that the vault does not. */
export type Asked = {
  readonly row: PublicAlgorithm
  readonly message: Buffer
  /** Of the key that was asked, and of one like it. */
  readonly secret: KeyObject
  readonly other: KeyObject
}

const saltBytes = { sha256: 32, sha384: 48, sha512: 64 } as const
const hashes = ['sha256', 'sha384', 'sha512'] as const

/** A signature in JOSE form, by Node; `name` and `saltLength` as the algorithm has them, unless told. */
function signed(
  key: KeyObject,
  row: PublicAlgorithm,
  message: Buffer,
  part: { name?: (typeof hashes)[number]; padding?: 'pkcs1' | 'pss'; saltLength?: number } = {},
): Buffer {
  if (row.kty === 'OKP') return sign(null, message, key)
  const { name = row.hash } = part
  if (row.kty === 'EC') return sign(name, message, { key, dsaEncoding: 'ieee-p1363' })
  const { padding = row.padding, saltLength = saltBytes[name] } = part
  if (padding === 'pkcs1') return sign(name, message, key)
  return sign(name, message, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength })
}

const orders = { 'P-256': p256, 'P-384': p384, 'P-521': p521 } as const

/** Made when its turn has come: signatures take time. */
type Ways<T> = Readonly<Record<string, () => T>>

/** Signatures that are good ones, of something else. */
function genuineElsewhere({ row, message, secret, other }: Asked): Ways<Buffer> {
  const digest = () => hash(row.kty === 'OKP' ? 'sha512' : row.hash, message, 'buffer')
  const another = Buffer.concat([message, Buffer.from('.')])
  return {
    'another key’s': () => signed(other, row, message),
    'another message’s': () => signed(secret, row, another),
    'of the digest, hashed again': () => signed(secret, row, digest()),
    ...(row.kty === 'OKP' ? {} : otherHash(secret, row, message)),
    ...(row.kty === 'RSA' ? otherPaddings(secret, row, message) : {}),
  }
}

type HashAlgorithm = Exclude<PublicAlgorithm, { kty: 'OKP' }>
type RsaAlgorithm = Extract<PublicAlgorithm, { kty: 'RSA' }>

function otherHash(secret: KeyObject, row: HashAlgorithm, message: Buffer): Ways<Buffer> {
  const name = row.hash === 'sha256' ? 'sha384' : 'sha256'
  return { 'by another hash': () => signed(secret, row, message, { name }) }
}

function otherPaddings(secret: KeyObject, row: RsaAlgorithm, message: Buffer): Ways<Buffer> {
  const padding = row.padding === 'pss' ? 'pkcs1' : 'pss'
  return {
    'by another padding': () => signed(secret, row, message, { padding }),
    'with a short salt': () => signed(secret, row, message, { padding: 'pss', saltLength: 20 }),
  }
}

/** Numbers that are none of a signature: https://www.rfc-editor.org/rfc/rfc6979#section-2.4 */
function otherNumbers({ row, secret, message }: Asked): Ways<Buffer> {
  if (row.kty !== 'EC') return {}
  const { Fn } = orders[row.crv].Point
  const order = Buffer.from(Fn.ORDER.toString(16).padStart(2 * row.coordinateBytes, '0'), 'hex')
  const zero = Buffer.alloc(row.coordinateBytes)
  const numbers = (change: (r: Buffer, s: Buffer) => Buffer[]) => () => {
    const jose = signed(secret, row, message)
    const half = row.coordinateBytes
    return Buffer.concat(change(jose.subarray(0, half), jose.subarray(half)))
  }
  return {
    'r and s exchanged': numbers((r, s) => [s, r]),
    'r is zero': numbers((_, s) => [zero, s]),
    's is zero': numbers((r) => [r, zero]),
    'r is the order': numbers((_, s) => [order, s]),
    's is the order': numbers((r) => [r, order]),
  }
}

/** Other bytes, whatever the signature is. */
function otherBytes(bytes: Buffer, at: number): Ways<Buffer> {
  const some = 1 + (at % 8)
  return {
    'another bit': () => flipped(bytes, at),
    'cut short': () => bytes.subarray(0, -some),
    'cut in front': () => bytes.subarray(some),
    'with bytes behind': () => Buffer.concat([bytes, Buffer.alloc(some)]),
    'with bytes in front': () => Buffer.concat([Buffer.alloc(some), bytes]),
    twice: () => Buffer.concat([bytes, bytes]),
    'turned around': () => Buffer.from(bytes.toReversed()),
    empty: () => Buffer.alloc(0),
    zeros: () => Buffer.alloc(bytes.length),
    ones: () => Buffer.alloc(bytes.length, 0xff),
  }
}

/**
 * Every kind of wrong answer that there is, but one: of an ECDSA signature (r, −s) is as good as (r, s).
 *
 * @param at chooses places and lengths.
 */
export function alterations(asked: Asked, wire: Wire, answer: VaultAnswer, at: number) {
  const { row } = asked
  const bytes = Buffer.from(String(answer[wire.signature]), wire.alphabet)
  const whole = mapped({ ...genuineElsewhere(asked), ...otherNumbers(asked) }, (jose) =>
    wire.encoded(jose, row),
  )
  const { [wire.key]: _, ...keyless } = answer
  const { [wire.signature]: __, ...unsigned } = answer
  const ways: Ways<VaultAnswer> = {
    ...mapped({ ...otherBytes(bytes, at), ...whole }, (signature) => ({
      ...answer,
      [wire.signature]: signature.toString(wire.alphabet),
    })),
    'of no key': () => keyless,
    'of another key by name': () => ({ ...answer, [wire.key]: `${String(answer[wire.key])}0` }),
    'no signature': () => unsigned,
    'no answer': () => ({}),
    ...mapped(wire.others(row, bytes), (part) => ({ ...answer, ...part })),
  }
  return ways
}

function mapped<T, U>(ways: Ways<T>, change: (made: T) => U): Ways<U> {
  const entries = Object.entries(ways)
  return Object.fromEntries(entries.map(([kind, make]) => [kind, () => change(make())]))
}

/** One bit is another, somewhere else each time. */
function flipped(bytes: Buffer, at: number): Buffer {
  const changed = Buffer.from(bytes)
  const place = (at * 37) % changed.length
  changed[place] = (changed[place] ?? 0) ^ (1 << (at % 8))
  return changed
}
