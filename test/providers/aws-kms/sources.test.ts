import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { awsKmsConfig, isCredentialsHost, isKmsHost } from '../../../providers/aws-kms/config.ts'
import { openAwsVault } from '../../../providers/aws-kms/signer.ts'
import { systemClock } from '../../../src/lib/clock.ts'
import { algorithm } from '../../../src/signing/algorithms.ts'
import { utf8 } from '../../../src/lib/bytes.ts'
import { awsEnvironment, bareSurroundings, heldKey } from '../../support/aws-vault.ts'
import { credentialSource } from '../../support/credential-source.ts'
import { fakeKms, type FakeKms } from '../../support/fake-kms.ts'
import { region } from '../../support/fake-kms/keys.ts'
import { fakeSts, type FakeSts } from '../../support/fake-sts.ts'
import { manualClock } from '../../support/manual-clock.ts'
import { eventually } from '../../support/serving.ts'

const { signal } = new AbortController()
const minuteMs = 60_000
const role = 'arn:aws:iam::111122223333:role/signer'
let kms: FakeKms
let sts: FakeSts
let directory: string

beforeEach(async () => {
  kms = await fakeKms()
  sts = await fakeSts(kms, 4 * minuteMs) // the SDK itself keeps what lives longer
  directory = mkdtempSync(join(tmpdir(), 'chancery-aws-'))
  const { AWS_ACCESS_KEY_ID: _, AWS_SECRET_ACCESS_KEY: __, ...environment } = awsEnvironment
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value)
})
afterEach(async () => {
  vi.unstubAllEnvs()
  rmSync(directory, { recursive: true })
  await sts[Symbol.asyncDispose]()
  await kms[Symbol.asyncDispose]()
})

/** The shared configuration file of whoever runs the process. */
function configFile(text: string): void {
  const path = join(directory, 'config')
  writeFileSync(path, text)
  vi.stubEnv('AWS_CONFIG_FILE', path)
}

function tokenFile(): string {
  const path = join(directory, 'token')
  writeFileSync(path, 'a-token-that-is-worth-a-role')
  return path
}

const keys = 'aws_access_key_id = AKIABASE\naws_secret_access_key = a-secret\n'

function open(part: object = {}, surroundings: object = {}) {
  const config = awsKmsConfig.parse({ provider: 'aws-kms', region, ...part })
  const vault = openAwsVault(config, { ...bareSurroundings, ...surroundings })
  const { arn: resource } = heldKey(kms, 'EdDSA')
  return vault.open({ resource, algorithm: 'EdDSA' }, signal)
}

const atEmulator = (profile: string) => ({ endpoint: sts.endpoint, credentials: { profile } })
const input = { message: utf8('a message'), digest: undefined }
const whoSigned = () => [...new Set(kms.requests.map(({ accessKeyId }) => accessKeyId))]

describe('[C21] a profile that the configuration names', () => {
  test('is the source, whatever the environment has', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAOTHER')
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'another-secret')
    configFile(`[default]\n[profile signer]\n${keys}`)
    await open(atEmulator('signer'))
    expect(whoSigned()).toEqual(['AKIABASE'])
  })

  test('has a role assumed, once for all requests', async () => {
    configFile(
      `[profile signer]\nrole_arn = ${role}\nsource_profile = base\n[profile base]\n${keys}`,
    )
    const signer = await open(atEmulator('signer'))
    for (let at = 0; at < 5; at += 1) await signer.sign(input, algorithm('EdDSA'), signal)
    expect(sts.asked).toEqual([{ action: 'AssumeRole', role, by: 'AKIABASE' }])
    expect(whoSigned()).toEqual(['ASIA-1'])
  })

  test('that has nothing is refused: no other source takes its place', async () => {
    await using container = await credentialSource(() => 4e12)
    vi.stubEnv('AWS_CONTAINER_CREDENTIALS_FULL_URI', container.url)
    configFile(`[default]\n${keys}`)
    const message = 'No credentials for the vault can be found'
    await expect(open(atEmulator('signer'))).rejects.toMatchObject({
      code: 'vault_denied',
      message,
    })
    expect(kms.requests).toEqual([])
    // The container does answer: without a profile it is whom the chain finds.
    vi.stubEnv('AWS_CONFIG_FILE', '/dev/null')
    await open({ endpoint: sts.endpoint })
    expect(whoSigned()).toEqual([expect.stringMatching(/^ASIA-/)])
  })

  test('whose role’s source hangs: signatures go on while the last credentials are valid', async () => {
    configFile(
      `[profile signer]\nrole_arn = ${role}\nsource_profile = base\n[profile base]\n${keys}`,
    )
    const clock = manualClock(systemClock.now())
    const signer = await open(atEmulator('signer'), { clock })
    sts.hangs = true
    clock.advance(3 * minuteMs)
    await signer.sign(input, algorithm('EdDSA'), signal)
    await signer.sign(input, algorithm('EdDSA'), signal)
    await eventually(() => sts.asked.length === 2)
    expect(whoSigned()).toEqual(['ASIA-1'])
  })
})

/**
 * Seeded: without the check of hosts STS is asked at the stray address in all three, and the first and the
 * second then open the vault with what it gave.
 */
describe('[C20] an endpoint_url of the shared configuration file', () => {
  const stray = () => `endpoint_url = http://127.0.0.1:${sts.port}\n`
  const services = () => `services = here\n[services here]\nsts =\n  ${stray()}`
  const assumed = `role_arn = ${role}\nsource_profile = base\n`
  const proved = () => `role_arn = ${role}\nweb_identity_token_file = ${tokenFile()}\n`

  test.each([
    ['of the profile, for a role', () => `[default]\n${assumed}${stray()}[profile base]\n${keys}`],
    ['of the profile, for a web identity', () => `[default]\n${proved()}${stray()}`],
    ['of a services section', () => `[profile base]\n${keys}[default]\n${assumed}${services()}`],
  ])('%s, is refused with its remedy, and sees no credential', async (_, text) => {
    configFile(text())
    await expect(open()).rejects.toMatchObject({
      code: 'vault_denied',
      message: expect.stringMatching(/^No credentials .*endpoint_url that is not AWS’s own/),
    })
    await expect(open({}, { reader: 'caller' })).rejects.toMatchObject({
      message: 'No credentials for the vault can be found',
    })
    expect([sts.asked, kms.requests]).toEqual([[], []])
  })

  test('does not lead away from an emulator, either', async () => {
    await using other = await fakeSts(kms, minuteMs)
    const elsewhere = `endpoint_url = ${other.endpoint}\n`
    configFile(`[default]\n${assumed}${elsewhere}[profile base]\n${keys}`)
    await open({ endpoint: sts.endpoint })
    expect([sts.asked.length, other.asked.length]).toEqual([1, 0])
  })
})

describe('hosts of AWS', () => {
  test.each([
    'kms.eu-central-1.amazonaws.com',
    'kms-fips.us-gov-west-1.amazonaws.com',
    'kms.eu-central-1.api.aws',
    'kms.cn-north-1.amazonaws.com.cn',
    'kms.eusc-de-east-1.amazonaws.eu',
    'vpce-0abc-1x2y.kms.eu-central-1.vpce.amazonaws.com',
  ])('%s is KMS’s', (host) => expect(isKmsHost(host)).toBe(true))

  test.each([
    'kms.eu-central-1.amazonaws.com.evil.example',
    'evil.kms.eu-central-1.amazonaws.com',
    'kms.s3.amazonaws.com',
    'ec2-3-3-3-3.eu-central-1.compute.amazonaws.com',
    'abc123.execute-api.eu-central-1.amazonaws.com',
    'vpce-0abc-1x2y.vpce-svc-0def.eu-central-1.vpce.amazonaws.com',
    'sts.eu-central-1.amazonaws.com',
    'kms-eu-central-1.amazonaws.com.',
    'kms.example',
  ])('%s is not', (host) => expect(isKmsHost(host)).toBe(false))

  test.each([
    ['sts.amazonaws.com', true],
    ['sts.eu-central-1.amazonaws.com', true],
    ['portal.sso.eu-central-1.amazonaws.com', true],
    ['oidc.eu-central-1.amazonaws.com', true],
    ['eu-central-1.signin.aws.amazon.com', true],
    ['sts.eu-central-1.amazonaws.com.evil.example', false],
    ['sts.evil.amazonaws.com', false],
    ['kms.eu-central-1.amazonaws.com', false],
    ['127.0.0.1', false],
  ])('%s gives credentials: %s', (host, does) => expect(isCredentialsHost(host)).toBe(does))
})
