import { hash, type KeyObject } from 'node:crypto'
import { beforeAll } from 'vitest'
import { type Bytes, utf8 } from '../../src/lib/bytes.ts'
import type { Algorithm, AlgorithmName, PublicAlgorithm } from '../../src/signing/algorithms.ts'
import type { Signer, SigningInput, Vault } from '../../src/signing/signer.ts'
import { publicKeyOf } from './verifiers.ts'

export interface SignerHarness {
  readonly provider: string
  readonly algorithms: readonly AlgorithmName[]
  readonly vault: () => Promise<Vault>
  /** Two versions of one kind: only the second can show that the first one matters. */
  readonly resources: (name: AlgorithmName) => Promise<readonly [string, string]>
  /** Of other vaults, of versions that were deleted, of the wrong form. */
  readonly foreignResources: readonly string[]
  /** What no message may show beside the resource: paths, hosts, account ids. */
  readonly internals: () => readonly string[]
  /** Of the first version, where the test has put it there itself. */
  readonly secretOf?: (name: AlgorithmName) => KeyObject
  /** Longer messages are refused before anything is billed; none where the vault has no limit. */
  readonly messageBytesMax?: (name: AlgorithmName) => number | undefined
  /**
   * Where the vault lets an RSA key sign with every RSA algorithm, which one a version has is the
   * store's to say: an opened version still signs with no other.
   */
  readonly rsaKeysAreShared?: boolean
  /** Whether it signs a message of no bytes; all do, unless it says so. */
  readonly signsEmpty?: (name: AlgorithmName) => boolean
  /** Whether it signs a digest that comes without its message; none does, unless it says so. */
  readonly signsDigests?: (name: AlgorithmName) => boolean
  /** How many signatures it is asked for at a time; 64 unless it is slower than that. */
  readonly atOnce?: number
  /** Signing requests so far; none where nothing leaves the process. */
  readonly requestsBilled?: () => number
}

/** The longest message the core hands down: a `signingInput` (CONTRACT §1.1). */
const coreMessageBytesMax = 16_384

export const { signal } = new AbortController()

export function signsEmpty({ signsEmpty: signs }: SignerHarness, { name }: Algorithm): boolean {
  return signs?.(name) ?? true
}

type Opened = { readonly signer: Signer; readonly spki: Bytes; readonly key: KeyObject }

export function openedPair(
  harness: SignerHarness,
  row: PublicAlgorithm,
): () => readonly [Opened, Opened] {
  const opened: Opened[] = []
  beforeAll(async () => {
    for (const signer of await open(harness, row)) {
      const spki = await spkiOf(signer)
      opened.push({ signer, spki, key: publicKeyOf(spki) })
    }
  })
  return () => {
    const [one, other] = opened
    if (!one || !other) throw new Error('the harness opened no two versions')
    return [one, other]
  }
}

export async function open(harness: SignerHarness, { name }: Algorithm): Promise<[Signer, Signer]> {
  const vault = await harness.vault()
  const [one, other] = await harness.resources(name)
  const opening = [one, other].map((resource) => vault.open({ resource, algorithm: name }, signal))
  const [first, second] = await Promise.all(opening)
  if (!first || !second || one === other) throw new Error('the harness has no two versions')
  return [first, second]
}

export async function spkiOf(signer: Signer): Promise<Bytes> {
  const spki = await signer.publicKey(signal)
  if (!spki) throw new Error('the vault answered no public key')
  return spki
}

export function signed(signer: Signer, row: Algorithm, message: Uint8Array): Promise<Bytes> {
  return signer.sign(inputOf(row, message), row, signal)
}

export function inputOf(row: Algorithm, message: Uint8Array): SigningInput {
  if (row.kty === 'OKP') return { message, digest: undefined }
  return { message, digest: new Uint8Array(hash(row.hash, message, 'buffer')) }
}

export function longest(harness: SignerHarness, { name }: Algorithm): Bytes {
  const length = harness.messageBytesMax?.(name) ?? coreMessageBytesMax
  return new Uint8Array(length).fill(0x61)
}

export function numbered(count: number): readonly Bytes[] {
  return Array.from({ length: count }, (_, at) => utf8(`message ${at}`))
}

export function signatureBytes(row: PublicAlgorithm, key: KeyObject): number {
  switch (row.kty) {
    case 'RSA':
      return (key.asymmetricKeyDetails?.modulusLength ?? 0) / 8
    case 'EC':
      return 2 * row.coordinateBytes
    case 'OKP':
      return 64 // RFC 8032 §5.1.6
  }
}

export async function codeOf(asked: Promise<unknown>): Promise<unknown> {
  return asked.then(
    () => 'nothing was refused',
    (error: unknown) => (error instanceof Error && 'code' in error ? error.code : error),
  )
}
