import { rmSync } from 'node:fs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openAzureVault } from '../../../providers/azure-key-vault/signer.ts'
import { utf8 } from '../../../src/lib/bytes.ts'
import { ClockWatch } from '../../../src/lib/clock-watch.ts'
import { systemClock } from '../../../src/lib/clock.ts'
import { algorithm } from '../../../src/signing/algorithms.ts'
import {
  azureConfig,
  type AzureFiles,
  azureFiles,
  bareAzureSurroundings,
  heldVersion,
} from '../../support/azure-vault.ts'
import { fakeKeyVault, type FakeKeyVault } from '../../support/fake-key-vault.ts'
import { httpDate } from '../../support/shown-date.ts'

const { signal } = new AbortController()
let fake: FakeKeyVault
let files: AzureFiles

beforeEach(async () => {
  fake = await fakeKeyVault()
  files = azureFiles(fake)
})
afterEach(async () => {
  await fake[Symbol.asyncDispose]()
  rmSync(files.directory, { recursive: true })
})

async function watched() {
  const clocks = new ClockWatch(systemClock)
  const surroundings = { ...bareAzureSurroundings, timing: clocks.timingOf('vault azure') }
  const vault = await openAzureVault(azureConfig(fake, files), surroundings)
  const { id } = heldVersion(fake, 'ES256')
  return { clocks, open: () => vault.open({ resource: id, algorithm: 'ES256' }, signal) }
}

test.each([
  [0, 'fine'],
  [45_000, 'warn'],
  [3_600_000, 'refuse'],
  [-3_600_000, 'refuse'],
] as const)('a vault whose clock is %i ms ahead is measured: %s', async (ms, verdict) => {
  const { clocks, open } = await watched()
  fake.date.text = () => httpDate(systemClock.now() + ms)
  await open()
  expect(clocks.readings).toMatchObject([{ source: 'vault azure', verdict }])
})

test('a request that is refused is an answer, too', async () => {
  const { clocks, open } = await watched()
  fake.world.denied.add('read')
  await expect(open()).rejects.toMatchObject({ code: 'vault_denied' })
  expect(clocks.readings).toMatchObject([{ verdict: 'fine' }])
})

test('a challenge that is remembered is no answer: its Date is of another time', async () => {
  let answers = 0
  const timing = () => () => void (answers += 1)
  const vault = await openAzureVault(azureConfig(fake, files), { ...bareAzureSurroundings, timing })
  const row = algorithm('ES256')
  const input = { message: utf8('a message'), digest: new Uint8Array(32) }
  for (const which of ['one', 'other'] as const) {
    const { id } = heldVersion(fake, 'ES256', which)
    const signer = await vault.open({ resource: id, algorithm: 'ES256' }, signal)
    await signer.sign(input, row, signal)
  }
  // The first request alone was challenged on the wire; the clients of both versions are, from memory.
  expect([fake.challenges(), fake.requests.length, answers]).toEqual([1, 4, 5])
})

test.each([undefined, 'rubbish'])('a Date that is none says nothing: %s', async (date) => {
  const { clocks, open } = await watched()
  fake.date.text = () => date
  await open()
  expect(clocks.readings).toEqual([])
})
