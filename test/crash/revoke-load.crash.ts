import { afterAll, beforeAll, expect, test } from 'vitest'
import { figure } from '../support/figure.ts'
import { type Home, homesOfThisFile, withKey } from '../support/home.ts'
import { pack, type Packed } from '../support/packed.ts'
import { assertSeeded, seeded } from '../support/seeded.ts'
import { type RevokedUnderLoad, revokeUnderLoad } from './revoke-load.ts'
import { scale } from './scale.ts'

/** CONTRACT §3: what `revoke` prints holds in every process on the store. */

const homes = homesOfThisFile()

/** What takes its time is what a user has: compiled, installed, and not started for the first time. */
let packed: Packed

/** Of compiling, on a machine that is busy with other files. */
const packMs = 600_000

beforeAll(async () => {
  packed = pack()
  await homes.copy().run(['keys', 'list'], { program: packed.bin })
}, packMs)
afterAll(() => packed.remove())

/** A command takes more than three times as long: about four are under way, each on a key of its own. */
const everyMs = 750

/** The services outlive every command of a full run. */
const runMs = 7_200_000

async function homeWithKeys(count: number): Promise<{ home: Home; keys: readonly string[] }> {
  const home = homes.copy()
  const keys = Array.from({ length: count }, (_, i) => `key-${i}`)
  for (const key of keys) home.edit((text) => withGrant(withKey(text, keyText(key)), key))
  const { exitCode, stderr } = await home.run(['rotate'])
  if (exitCode !== 0) throw new Error(`rotate ends with ${exitCode}: ${stderr}`)
  return { home, keys }
}

const keyText = (key: string) =>
  `${key}: { vault: local, alg: ES256, profile: { name: generic-jwt, issuer: https://acme.example } }`

function withGrant(text: string, key: string): string {
  const operations = 'operations: [sign-claims], maxLifetime: 5m, claims: { sub: { text: 9 } }'
  return `${text.trimEnd()}\n  - { caller: first-caller, key: ${key}, ${operations} }\n`
}

test('no signature is received after the instant that a revoke printed, on any process', async () => {
  const { home, keys } = await homeWithKeys(scale.revokeCommands)
  await using one = await home.serve({ longestMs: runMs })
  await using other = await home.serve({ longestMs: runMs })
  const seen = await revokeUnderLoad(home, [one, other], keys, everyMs, packed.bin)
  figure(described(`a revoke every ${everyMs} ms under load, two services`, seen))
  expect(seen).toHaveLength(keys.length)
  expect(seen.filter(({ late }) => late > 0)).toEqual([])
  const { document } = await home.json(['audit', 'verify'])
  expect(document).toMatchObject({ verdict: 'whole' })
})

test('this test can fail: a service that reads the state only once is found out', async () => {
  const { home, keys } = await homeWithKeys(1)
  const mistakes = ['the state is read once, at the start', 'the snapshot is read for an hour']
  await using serving = await home.serve(seeded(...mistakes))
  const seen = await revokeUnderLoad(home, [serving], keys, everyMs, packed.bin)
  figure(described('a service that reads the state once', seen))
  expect(total(seen, 'late')).toBeGreaterThan(0)
  assertSeeded(await serving.stop())
})

function described(name: string, seen: readonly RevokedUnderLoad[]): string {
  const tookMs = seen.map((one) => one.tookMs).toSorted((one, other) => one - other)
  const at = (share: number) => tookMs[Math.ceil(tookMs.length * share) - 1]
  const [signatures, late] = [total(seen, 'signatures'), total(seen, 'late')]
  const partial = seen.filter(({ isPartial }) => isPartial).length
  return `${name}: ${seen.length} revoked, ${signatures} signatures, ${late} late, ${partial} left to the job; a command took ${at(0.5)} ms (p50), ${at(1)} ms at most`
}

function total(seen: readonly RevokedUnderLoad[], member: 'signatures' | 'late'): number {
  return seen.reduce((sum, one) => sum + one[member], 0)
}
