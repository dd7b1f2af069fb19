import { ServiceError } from '../../src/errors.ts'
import type { Bytes } from '../../src/lib/bytes.ts'
import {
  type Algorithm,
  algorithm,
  type MacAlgorithm,
  type PublicAlgorithm,
  signsHash,
} from '../../src/signing/algorithms.ts'
import { derToJose } from '../../src/signing/ecdsa.ts'
import type { RequestNote, Signer, SigningInput, Vault } from '../../src/signing/signer.ts'
import { awsAlgorithms } from './algorithms.ts'
import { type KmsClient, kmsClient, type KmsSurroundings } from './client.ts'
import { type AwsKmsConfig, emulatorAt } from './config.ts'
import { keyUnusable, noAnswer, wrongAnswer } from './errors.ts'
import { assertKeyArn, inspect } from './inspector.ts'
import { quotaOf } from './quota.ts'

/** https://docs.aws.amazon.com/kms/latest/APIReference/API_Sign.html: of `RAW`; GenerateMac has the same. */
const messageBytesMax = 4_096

/**
 * The vault as `serve` sees it. Nothing is asked before a version is opened.
 *
 * @throws {ServiceError} `config_invalid` for an environment that would have requests go elsewhere.
 */
export function openAwsVault(config: AwsKmsConfig, surroundings: KmsSurroundings): Vault {
  const client = kmsClient(config, surroundings)
  const isEmulator = emulatorAt(config.endpoint) !== undefined
  return {
    async open({ resource, algorithm: name }, signal) {
      assertKeyArn(resource, config.region)
      const row = algorithm(name)
      const custody = await inspect(client, resource, row, signal)
      const signer =
        row.kty === 'oct' ? macSigner(client, resource, row) : pairSigner(client, resource, row)
      return { ...signer, custody, quota: quotaOf(row, isEmulator) }
    },
  }
}

function pairSigner(client: KmsClient, keyArn: string, row: PublicAlgorithm): Signer {
  const { name: SigningAlgorithm } = awsAlgorithms[row.name]
  return {
    async publicKey(signal) {
      const { KeyId, PublicKey } = await client.getPublicKey(keyArn, signal)
      if (!KeyId || !PublicKey?.length) throw noAnswer('PublicKey')
      if (KeyId === keyArn) return new Uint8Array(PublicKey)
      throw keyUnusable('The vault answered for another key', keyArn)
    },

    async sign(input, asked, signal, note) {
      assertAlgorithm(row, asked)
      if (input.message === undefined && !signsHash(row)) throw noDigest(row)
      const message = pairMessage(input)
      const answer = await client.sign({ KeyId: keyArn, SigningAlgorithm, ...message }, signal)
      noteRequest(answer, note)
      assertAnswer(answer.KeyId, keyArn)
      assertAnswer(answer.SigningAlgorithm, SigningAlgorithm)
      const signature = bytesOf(answer.Signature)
      return row.kty === 'EC' ? derToJose(signature, row) : signature
    },
  }
}

function macSigner(client: KmsClient, keyArn: string, row: MacAlgorithm): Signer {
  const { name: MacAlgorithm } = awsAlgorithms[row.name]
  return {
    async publicKey(signal) {
      signal.throwIfAborted()
      return undefined
    },

    async sign({ message: Message }, asked, signal, note) {
      assertAlgorithm(row, asked)
      if (Message === undefined) throw noDigest(row)
      assertLength(Message)
      const answer = await client.generateMac({ KeyId: keyArn, MacAlgorithm, Message }, signal)
      noteRequest(answer, note)
      assertAnswer(answer.KeyId, keyArn)
      assertAnswer(answer.MacAlgorithm, MacAlgorithm)
      return bytesOf(answer.Mac)
    },
  }
}

/** As CloudTrail has it: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html */
function noteRequest(
  { $metadata: { requestId } }: { readonly $metadata: { readonly requestId?: string | undefined } },
  note: RequestNote | undefined,
): void {
  if (requestId !== undefined) note?.(requestId)
}

/** One algorithm per key: RSA would sign RS256 and PS256 alike. */
function assertAlgorithm(own: Algorithm, asked: Algorithm): void {
  if (asked.name === own.name) return
  throw new ServiceError('vault_key_unusable', `The key signs ${own.name} only`)
}

/** KMS takes 1 to 4,096 bytes as they are; a digest of any other, where the algorithm has one. */
function pairMessage({ message, digest }: SigningInput) {
  if (message === undefined) return { Message: digest, MessageType: 'DIGEST' } as const
  const isRaw = message.length > 0 && message.length <= messageBytesMax
  if (!isRaw && digest) return { Message: digest, MessageType: 'DIGEST' } as const
  assertLength(message)
  return { Message: message, MessageType: 'RAW' } as const
}

function noDigest({ name }: Algorithm): ServiceError {
  return new ServiceError('vault_key_unusable', `The vault signs no digests with ${name}`)
}

/** Before it is billed. @throws {ServiceError} `message_too_large`, `malformed_request`. */
function assertLength({ length }: Uint8Array): void {
  if (length > messageBytesMax) {
    const message = `The vault signs at most ${messageBytesMax} bytes with this key`
    throw new ServiceError('message_too_large', message)
  }
  if (length > 0) return
  throw new ServiceError('malformed_request', 'The vault signs no empty message with this key')
}

/** A signature of another key or algorithm would not verify; a MAC of one would not be noticed. */
function assertAnswer(answered: string | undefined, asked: string): void {
  if (answered === asked) return
  throw wrongAnswer('The vault answered for another key or algorithm', answered)
}

function bytesOf(answered: Uint8Array | undefined): Bytes {
  if (answered) return new Uint8Array(answered)
  throw wrongAnswer('The vault answered no signature', answered)
}
