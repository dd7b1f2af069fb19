import { expect, test } from 'vitest'
import { systemClock } from '../../src/lib/clock.ts'
import { fastClock } from '../support/fast-clock.ts'
import { figure } from '../support/figure.ts'
import { homesOfThisFile } from '../support/home.ts'
import { publishing } from '../support/publishing.ts'
import { registryHomesOfThisFile } from '../support/registry-home.ts'
import { type RotatedUnderLoad, rotateUnderLoad } from './rotation-load.ts'
import { scale } from './scale.ts'

/** A rotation that nobody notices, by a clock that hurries: what takes minutes is over in seconds. */

const homes = homesOfThisFile()
const registryHome = registryHomesOfThisFile()

/** The services outlive a full run. */
const longestMs = 7_200_000

/** Of the least that its callers' tokens allow, and a while that verifiers need. */
const more = ', rotation: { standby: 1, overlap: 3m, propagation: 30s }'

async function rotated(
  wanted: { readonly signatures: number; readonly rotations: number },
  ...mistakesOfRegistry: readonly string[]
): Promise<RotatedUnderLoad> {
  const clock = fastClock(() => systemClock.now())
  const home = homes.copy()
  const started = { ...clock.started(), longestMs }
  const asked = await publishing(home, registryHome(), [{ name: 'blog', more }], {
    ...clock.started(...mistakesOfRegistry),
    longestMs,
  })
  home.edit((text) => text.replace('maxLifetime: 15m', 'maxLifetime: 1m'))
  expect(await home.run(['rotate'], clock.started())).toMatchObject({ exitCode: 0 })
  await using one = await home.serve(started)
  await using other = await home.serve(started)
  const seen = await rotateUnderLoad(asked, [one, other], { key: 'blog', clock, ...wanted })
  await asked.registry.stop()
  return seen
}

test('versions take turns while they sign: no signature fails, and each verifies by what is listed then', async () => {
  const wanted = { signatures: scale.rotationSignatures, rotations: scale.rotations }
  const seen = await rotated(wanted)
  figure(described('rotation under load, two services', seen))
  expect(seen.failed).toEqual([])
  expect(seen.signatures).toBeGreaterThanOrEqual(wanted.signatures)
  expect(seen.rotations).toBeGreaterThanOrEqual(wanted.rotations)
  // The registry has so many slots for an app.
  expect(seen.slotsUsed).toBeLessThanOrEqual(3)
})

test('this test can fail: a registry that lists the first key alone is found out', async () => {
  const seen = await rotated({ signatures: 1, rotations: 1 }, 'lists the first key alone')
  figure(described('a registry that lists the first key alone', seen))
  expect(seen.failed.join()).toMatch(/no applicable key found/)
})

function described(
  name: string,
  { signatures, rotations, slotsUsed, failed }: RotatedUnderLoad,
): string {
  const counted = `${signatures} signatures over ${rotations} rotations, ${slotsUsed} slots at most`
  return `${name}: ${counted}, ${failed.length} failed${failed[0] === undefined ? '' : `: ${failed[0]}`}`
}
