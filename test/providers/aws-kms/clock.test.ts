import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { openAwsVault } from '../../../providers/aws-kms/signer.ts'
import { ClockWatch } from '../../../src/lib/clock-watch.ts'
import { systemClock } from '../../../src/lib/clock.ts'
import { awsConfig, awsEnvironment, bareSurroundings } from '../../support/aws-vault.ts'
import { fakeKms, type FakeKms } from '../../support/fake-kms.ts'
import { httpDate } from '../../support/shown-date.ts'

const { signal } = new AbortController()
let kms: FakeKms

beforeAll(async () => {
  for (const [name, value] of Object.entries(awsEnvironment)) vi.stubEnv(name, value)
  kms = await fakeKms()
})
afterEach(() => {
  kms.world.clock = () => systemClock.now()
  kms.date.text = () => httpDate(kms.world.clock())
})
afterAll(async () => {
  await kms[Symbol.asyncDispose]()
  vi.unstubAllEnvs()
})

function watched() {
  const clocks = new ClockWatch(systemClock)
  const surroundings = { ...bareSurroundings, timing: clocks.timingOf('vault aws') }
  const vault = openAwsVault(awsConfig({ endpoint: kms.endpoint }), surroundings)
  const { arn } = kms.add('ECC_NIST_P256')
  return { clocks, open: () => vault.open({ resource: arn, algorithm: 'ES256' }, signal) }
}

const aheadSeconds = ({ readings }: ClockWatch) =>
  readings.map(({ aheadMs }) => Math.round(aheadMs / 60_000) * 60)

test('a vault of the same time says so', async () => {
  const { clocks, open } = watched()
  await open()
  expect(clocks.readings).toMatchObject([{ source: 'vault aws', verdict: 'fine' }])
})

test.each([3_600, -3_600])(
  'a clock that the SDK puts right in silence is measured all the same: vault %i s ahead',
  async (seconds) => {
    const { clocks, open } = watched()
    kms.world.clock = () => systemClock.now() + seconds * 1_000
    // Refused as signed long ago, or in the future; the next one is signed by the vault's own time.
    await expect(open()).rejects.toMatchObject({ code: 'vault_denied' })
    expect(aheadSeconds(clocks)).toEqual([-seconds])
    await open()
    expect(aheadSeconds(clocks)).toEqual([-seconds])
    expect(clocks.readings).toMatchObject([{ verdict: 'refuse' }])
  },
)

test.each([undefined, 'rubbish'])('a Date that is none says nothing: %s', async (date) => {
  const { clocks, open } = watched()
  kms.date.text = () => date
  await open()
  expect(clocks.readings).toEqual([])
})
