import {
  CreateKeyCommand,
  type CreateKeyCommandInput,
  DescribeKeyCommand,
  GenerateMacCommand,
  type GenerateMacCommandInput,
  type KeySpec,
  KMSClient,
  SignCommand,
  type SignCommandInput,
  VerifyMacCommand,
  type VerifyMacCommandInput,
} from '@aws-sdk/client-kms'
import { utf8 } from '../../../src/lib/bytes.ts'
import { account, accountSecret, region } from '../../support/fake-kms/keys.ts'

/** A KMS that is asked by the vendor's own SDK, and none of our own code. */
export type AskedKms = ReturnType<typeof askedKms>

/** One question, and what comes of it: the name of an error, or words for what was answered. */
export type AgreementRow = {
  readonly asked: string
  readonly ask: (kms: AskedKms) => Promise<string>
  /** What AWS does, and therefore our fake. */
  readonly real: string
  /** What LocalStack 4.14.0 does, where that is something else. */
  readonly localStack?: string
}

export const message = utf8('a message')

/** It answers as one account in LocalStack, too, which takes it from the access key's id. */
export function askedKms(endpoint: string) {
  const credentials = { accessKeyId: account, secretAccessKey: accountSecret }
  const sdk = new KMSClient({ region, endpoint, maxAttempts: 1, credentials })
  const kept = new Map<KeySpec, Promise<string>>()

  async function newKey(spec: KeySpec, part: Partial<CreateKeyCommandInput> = {}): Promise<string> {
    const KeyUsage = spec.startsWith('HMAC') ? 'GENERATE_VERIFY_MAC' : 'SIGN_VERIFY'
    const asked = new CreateKeyCommand({ KeySpec: spec, KeyUsage, ...part })
    return textOf((await sdk.send(asked)).KeyMetadata?.Arn)
  }

  return {
    endpoint,
    sdk,
    newKey,

    /** One of each spec, for questions that change nothing: RSA keys take long to make. */
    key(spec: KeySpec): Promise<string> {
      const key = kept.get(spec) ?? newKey(spec)
      kept.set(spec, key)
      return key
    },

    sign(KeyId: string, part: Partial<SignCommandInput> = {}) {
      const asked = { KeyId, Message: message, SigningAlgorithm: 'ECDSA_SHA_256', ...part } as const
      return sdk.send(new SignCommand(asked))
    },

    mac(KeyId: string, part: Partial<GenerateMacCommandInput> = {}) {
      const asked = { KeyId, Message: message, MacAlgorithm: 'HMAC_SHA_256', ...part } as const
      return sdk.send(new GenerateMacCommand(asked))
    },

    verifyMac(
      KeyId: string,
      part: Pick<VerifyMacCommandInput, 'Mac'> & Partial<VerifyMacCommandInput>,
    ) {
      const asked = { KeyId, Message: message, MacAlgorithm: 'HMAC_SHA_256', ...part } as const
      return sdk.send(new VerifyMacCommand(asked))
    },

    async state(KeyId: string): Promise<string> {
      const { KeyMetadata } = await sdk.send(new DescribeKeyCommand({ KeyId }))
      return textOf(KeyMetadata?.KeyState)
    },
  }
}

/** What a row's question came to. Everything that is not an error of the vault's is a defect here. */
export async function outcomeOf(row: AgreementRow, kms: AskedKms): Promise<string> {
  return row.ask(kms).catch((error: unknown) => {
    if (error instanceof Error && '$metadata' in error) return error.name
    throw error
  })
}

export function textOf(text: string | undefined): string {
  if (text === undefined) throw new Error('the vault answered without what was asked for')
  return text
}

export function bytesOf(bytes: Uint8Array | undefined): Buffer {
  if (!bytes) throw new Error('the vault answered without the bytes that were asked for')
  return Buffer.from(bytes)
}

/** For a question that is answered with nothing but the absence of a refusal. */
export async function taken(asked: Promise<unknown>): Promise<string> {
  await asked
  return 'taken'
}
