import {
  CancelKeyDeletionCommand,
  CreateKeyCommand,
  type CreateKeyCommandInput,
  DescribeKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  GetPublicKeyCommand,
  type KeySpec,
  ListKeysCommand,
  ListResourceTagsCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms'
import { type AgreementRow, type AskedKms, bytesOf, taken } from './asked.ts'

/** What is made, and what it says of itself: what the proof that a key only signs goes by. */
export const keys: readonly AgreementRow[] = [
  described('RSA_2048', 'RSA_2048 SIGN_VERIFY AWS_KMS CUSTOMER false Enabled true 6 0'),
  described('ECC_NIST_P256', 'ECC_NIST_P256 SIGN_VERIFY AWS_KMS CUSTOMER false Enabled true 1 0'),
  described('HMAC_256', 'HMAC_256 GENERATE_VERIFY_MAC AWS_KMS CUSTOMER false Enabled true 0 1'),
  {
    asked: 'a key without material',
    async ask(kms) {
      return wordsOf(kms, await kms.newKey('ECC_NIST_P256', { Origin: 'EXTERNAL' }))
    },
    real: 'ECC_NIST_P256 SIGN_VERIFY EXTERNAL CUSTOMER false PendingImport false 1 0',
  },
  notMade({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'ENCRYPT_DECRYPT' }, 'taken'),
  notMade({ KeySpec: 'HMAC_256', KeyUsage: 'SIGN_VERIFY' }),
  notMade({ KeySpec: 'RSA_2048', KeyUsage: 'GENERATE_VERIFY_MAC' }, 'taken'),
  {
    asked: 'a tag of AWS’s own',
    ask: (kms) =>
      taken(kms.newKey('ECC_NIST_P256', { Tags: [{ TagKey: 'aws:x', TagValue: 'y' }] })),
    real: 'TagException',
  },
  {
    asked: 'the tags of a key',
    async ask(kms) {
      const Tags = [{ TagKey: 'chancery:intent', TagValue: 'an intent' }]
      const KeyId = await kms.newKey('ECC_NIST_P256', { Tags })
      return JSON.stringify((await kms.sdk.send(new ListResourceTagsCommand({ KeyId }))).Tags)
    },
    real: '[{"TagKey":"chancery:intent","TagValue":"an intent"}]',
  },
  {
    asked: 'a page of keys, and the next',
    async ask(kms) {
      await kms.newKey('ECC_NIST_P256')
      await kms.newKey('ECC_NIST_P256')
      const first = await kms.sdk.send(new ListKeysCommand({ Limit: 1 }))
      const asked = new ListKeysCommand({ Limit: 1, Marker: first.NextMarker })
      const next = await kms.sdk.send(asked)
      const arns = [...(first.Keys ?? []), ...(next.Keys ?? [])].map(({ KeyArn }) => KeyArn)
      return `${arns.length} keys, ${new Set(arns).size} of them different`
    },
    real: '2 keys, 2 of them different',
  },
]

function described(spec: KeySpec, real: string): AgreementRow {
  return {
    asked: `what a key of ${spec} says of itself`,
    ask: async (kms) => wordsOf(kms, await kms.key(spec)),
    real,
  }
}

/** https://docs.aws.amazon.com/kms/latest/APIReference/API_KeyMetadata.html */
async function wordsOf({ sdk }: AskedKms, arn: string): Promise<string> {
  const { KeyMetadata: said } = await sdk.send(new DescribeKeyCommand({ KeyId: arn }))
  if (said?.Arn !== arn) return 'another key'
  const { KeySpec: spec, KeyUsage, Origin, KeyManager, MultiRegion, KeyState, Enabled } = said
  const algorithms = `${said.SigningAlgorithms?.length ?? 0} ${said.MacAlgorithms?.length ?? 0}`
  return `${spec} ${KeyUsage} ${Origin} ${KeyManager} ${MultiRegion} ${KeyState} ${Enabled} ${algorithms}`
}

function notMade(input: CreateKeyCommandInput, localStack?: string): AgreementRow {
  return {
    asked: `a key of ${input.KeySpec} for ${input.KeyUsage}`,
    ask: (kms) => taken(kms.sdk.send(new CreateKeyCommand(input))),
    real: 'ValidationException',
    ...(localStack === undefined ? {} : { localStack }),
  }
}

const disable = (kms: AskedKms, KeyId: string) => kms.sdk.send(new DisableKeyCommand({ KeyId }))
const enable = (kms: AskedKms, KeyId: string) => kms.sdk.send(new EnableKeyCommand({ KeyId }))
const schedule = (kms: AskedKms, KeyId: string, PendingWindowInDays = 7) =>
  kms.sdk.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays }))

/** https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html#key-state-table */
export const states: readonly AgreementRow[] = [
  after('disabled: sign', [disable], (kms, arn) => taken(kms.sign(arn)), 'DisabledException'),
  after('disabled twice: its state', [disable, disable], (kms, arn) => kms.state(arn), 'Disabled'),
  after('disabled: show its public key', [disable], shown, 'shown'),
  after('enabled again: sign', [disable, enable], (kms, arn) => taken(kms.sign(arn)), 'taken'),
  after(
    'to be deleted in 3 days',
    [],
    (kms, arn) => taken(schedule(kms, arn, 3)),
    'ValidationException',
  ),
  after('to be deleted: its state', [schedule], (kms, arn) => kms.state(arn), 'PendingDeletion'),
  ...(
    [
      ['be deleted again', (kms, arn) => taken(schedule(kms, arn))],
      ['sign', (kms, arn) => taken(kms.sign(arn))],
      ['show its public key', shown],
      ['be enabled', (kms, arn) => taken(enable(kms, arn))],
      ['be disabled', (kms, arn) => taken(disable(kms, arn))],
    ] as const satisfies readonly (readonly [string, Question])[]
  ).map(([asked, question]) =>
    after(`to be deleted: ${asked}`, [schedule], question, 'KMSInvalidStateException'),
  ),
  after(
    'deletion cancelled: its state',
    [schedule, cancel],
    (kms, arn) => kms.state(arn),
    'Disabled',
  ),
  after(
    'deletion cancelled that nobody asked for',
    [],
    (kms, arn) => taken(cancel(kms, arn)),
    'KMSInvalidStateException',
  ),
  {
    asked: 'disabled: a MAC',
    async ask(kms) {
      const arn = await kms.newKey('HMAC_256')
      await disable(kms, arn)
      return taken(kms.mac(arn))
    },
    real: 'DisabledException',
  },
]

type Question = (kms: AskedKms, arn: string) => Promise<string>

function after(
  asked: string,
  steps: readonly ((kms: AskedKms, arn: string) => Promise<unknown>)[],
  question: Question,
  real: string,
): AgreementRow {
  return {
    asked,
    async ask(kms) {
      const arn = await kms.newKey('ECC_NIST_P256')
      for (const step of steps) await step(kms, arn)
      return question(kms, arn)
    },
    real,
  }
}

function cancel(kms: AskedKms, KeyId: string) {
  return kms.sdk.send(new CancelKeyDeletionCommand({ KeyId }))
}

async function shown(kms: AskedKms, KeyId: string): Promise<string> {
  const { PublicKey } = await kms.sdk.send(new GetPublicKeyCommand({ KeyId }))
  return bytesOf(PublicKey).length > 0 ? 'shown' : 'nothing'
}
