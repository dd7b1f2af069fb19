import { writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { eventually } from '../support/serving.ts'
import { homesOfThisFile, statesIn } from '../support/home.ts'
import { catalogue, provisionedHome, spkiSha256Of } from '../support/provisioned-home.ts'

const homes = homesOfThisFile()

test('what Terraform provides is adopted, signs, and is replaced by the next generation', async () => {
  const { home, first, second } = await provisionedHome(homes)
  const enabled = (resource: string) => ({ resource, state: 'enabled' })
  catalogue(home, { '2026-09': enabled(first) })
  expect((await home.json(['sync'])).document).toMatchObject({
    steps: [{ version: 'reports@1', step: 'adopted' }],
    failures: [],
  })
  expect((await home.run(['rotate'])).stdout).toBe('reports@1 activated\n')

  // Nothing stands by: a rotation that was asked for is loud.
  const none = await home.run(['rotate', 'reports', '--now'])
  expect([none.exitCode, none.stdout]).toEqual([3, expect.stringContaining('Apply Terraform')])

  const both = { '2026-09': enabled(first), '2027-03': enabled(second) }
  catalogue(home, both)
  expect((await home.run(['rotate'])).stdout).toContain('reports@2 adopted\nreports@2 activated\n')
  expect(statesIn(home)).toContain('reports@2 active')

  const without = catalogue(home, { ...both, '2027-03': { resource: second, state: 'retiring' } })
  const check = await home.json(['catalogue', 'check', without])
  expect(check).toMatchObject({ exitCode: 3, document: { cutsOff: ['reports@2'] } })
  catalogue(home, { ...both, '2026-09': { resource: first, state: 'retiring' } })
  const good = await home.json(['catalogue', 'check', without])
  expect(good).toMatchObject({ exitCode: 0, document: { cutsOff: [], revokes: [] } })
})

describe('a standby that its catalogue does not enable any more', () => {
  async function standingBy() {
    const { home, first, second } = await provisionedHome(homes)
    const enabled = (resource: string) => ({ resource, state: 'enabled' })
    catalogue(home, { a: enabled(first) })
    await home.run(['rotate'])
    catalogue(home, { a: enabled(first), b: enabled(second) })
    await home.run(['sync'])
    expect(statesIn(home)).toEqual(
      expect.arrayContaining(['reports@1 active', 'reports@2 created']),
    )
    const revoked = () => home.json(['revoke', 'reports@1', '--reason', 'a test'])
    return { home, enabled: { a: enabled(first), b: enabled(second) }, second, revoked }
  }

  test.each(['disabled', 'pending', 'retiring'])('but %s is not promoted', async (state) => {
    const { home, enabled, second, revoked } = await standingBy()
    catalogue(home, { ...enabled, b: { resource: second, state } })
    expect((await home.run(['rotate', 'reports', '--now'])).exitCode).toBe(3)
    expect(statesIn(home)).toContain('reports@1 active')
    expect(await revoked()).toMatchObject({ exitCode: 0, document: { promoted: null } })
    expect(statesIn(home)).toEqual(
      expect.arrayContaining(['reports@1 revoked', 'reports@2 created']),
    )
  })

  test('since nobody can read it: the revocation is in force, and promotes nothing', async () => {
    const { home, revoked } = await standingBy()
    writeFileSync(home.at('catalogue.json'), '{')
    expect(await revoked()).toMatchObject({
      exitCode: 0,
      document: {
        promoted: null,
        promotionError: { code: 'config_invalid', issues: [{ message: expect.any(String) }] },
      },
    })
    expect(statesIn(home)).toContain('reports@1 revoked')
  })

  test('since the configuration has a fault: so it is then, and says why', async () => {
    const { home } = await standingBy()
    home.edit((text) => text.replace('alg: ES256', 'alg: ES255'))
    const { exitCode, stdout } = await home.run(['revoke', 'reports@1', '--reason', 'a test'])
    expect(exitCode).toBe(4)
    expect(stdout).toMatch(
      /reports has no version that signs now \(which version may sign instead cannot be read: \S*chancery\.yaml has 1 problem\): run /,
    )
    expect(statesIn(home)).toContain('reports@1 revoked')
  })

  test('an enabled one signs at once', async () => {
    const { revoked } = await standingBy()
    expect(await revoked()).toMatchObject({ exitCode: 0, document: { promoted: 'reports@2' } })
  })
})

test('rotate --dry-run says what its catalogue would have done first, changes nothing, and exits as the run would', async () => {
  const { home, first, second } = await provisionedHome(homes)
  const a = { resource: first, state: 'enabled' }
  const b = { resource: second, state: 'enabled' }
  const both = async () => [await home.json(['rotate', '--dry-run', 'reports']), statesIn(home)]
  const planned = (plan: object) => ({ exitCode: 0, document: { plan: [plan], failures: [] } })
  const before = statesIn(home)

  catalogue(home, { '2026-09': a })
  const adopt = { key: 'reports', step: 'adopt', version: 'reports@1', generation: '2026-09' }
  expect(await both()).toMatchObject([planned(adopt), before])
  expect((await home.run(['rotate', '--dry-run', 'reports'])).stdout).toBe(
    'reports: generation 2026-09 would become reports@1\n',
  )

  catalogue(home, { '2026-09': a, '2027-03': b })
  const [refused, run] = [await both(), await home.json(['rotate', 'reports'])]
  const failures = [{ key: 'reports', code: 'refused', message: expect.stringMatching(/initial/) }]
  expect(refused).toMatchObject([{ exitCode: 3, document: { plan: [], failures } }, before])
  expect(run).toMatchObject({ exitCode: 3, document: { failures } })

  catalogue(home, { '2026-09': a })
  await home.run(['rotate', 'reports'])
  catalogue(home, { '2026-09': { ...a, state: 'retiring' } })
  const stuck = { failures: [{ key: 'reports', code: 'refused' }] }
  expect((await both())[0]).toMatchObject({ exitCode: 3, document: stuck })
  expect(await home.json(['rotate', 'reports'])).toMatchObject({ exitCode: 3, document: stuck })
  catalogue(home, { '2026-09': a }, { revoked: [spkiSha256Of(home)] })
  const revoke = { key: 'reports', step: 'revoke', version: 'reports@1' }
  expect(await both()).toMatchObject([planned(revoke), [...before, 'reports@1 active']])
})

test('a generation that signs and is cut off is replaced at once by one that is not; until then it is loud', async () => {
  const { home, first, second } = await provisionedHome(homes)
  const [a, b] = [first, second].map((resource) => ({ resource, state: 'enabled' }))
  if (!a || !b) throw new Error('two were made')
  const retiring = { ...a, state: 'retiring' }
  catalogue(home, { a })
  await home.run(['rotate'])
  catalogue(home, { a: retiring })
  await using serving = await home.serve()
  const cutOff = async () => {
    const text = await (await fetch(`${serving.opsUrl}/metrics`)).text()
    return /^chancery_cut_off_versions\{key="reports"\} (\d+)$/m.exec(text)?.[1]
  }
  expect(await cutOff()).toBe('1')
  const failures = [
    { key: 'reports', code: 'refused', message: expect.stringContaining('@1 signs') },
  ]
  for (const command of ['sync', 'rotate']) {
    expect(await home.json([command])).toMatchObject({
      exitCode: 3,
      document: { steps: [], failures, cutOff: ['reports@1'] },
    })
  }

  catalogue(home, { a: retiring, b })
  expect((await home.json(['sync'])).exitCode).toBe(3)
  await eventually(async () => (await home.json(['rotate'])).exitCode === 0)
  expect(statesIn(home)).toEqual(expect.arrayContaining(['reports@1 retiring', 'reports@2 active']))
  await eventually(async () => (await cutOff()) === '0')
  writeFileSync(home.at('catalogue.json'), '{')
  expect(await cutOff()).toBeUndefined()
})

test('a plan is checked, which has no resources yet, and is not taken in', async () => {
  const { home, first } = await provisionedHome(homes)
  catalogue(home, { a: { resource: first, state: 'enabled' } })
  await home.run(['rotate'])
  const planned = { a: { state: 'enabled' }, b: { state: 'enabled' } }
  const file = catalogue(home, planned)
  expect(await home.json(['catalogue', 'check', file])).toMatchObject({
    exitCode: 0,
    document: { cutsOff: [], revokes: [] },
  })
  expect(await home.run(['sync'])).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('resource'),
  })
  const retiring = catalogue(home, { ...planned, a: { state: 'retiring' } })
  expect(await home.json(['catalogue', 'check', retiring])).toMatchObject({
    exitCode: 3,
    document: { cutsOff: ['reports@1'] },
  })
})

test('a key that is given up is cut off by no catalogue', async () => {
  const { home, first } = await provisionedHome(homes)
  catalogue(home, { a: { resource: first, state: 'enabled' } })
  await home.run(['rotate'])
  const disabled = catalogue(home, { a: { resource: first, state: 'disabled' } })
  expect(await home.run(['catalogue', 'check', disabled])).toMatchObject({ exitCode: 3 })
  home.edit((text) => text.replace(/\n *reports: [^\n]*/, ''))
  expect(await home.run(['catalogue', 'check', disabled])).toMatchObject({ exitCode: 0 })
  expect((await home.json(['sync'])).document).toMatchObject({ cutOff: [] })
  expect(statesIn(home)).toContain('reports@1 active')
})

test.each(['sync', 'rotate'])(
  'a digest that a catalogue revokes ends its version at %s, which says so; another environment is refused',
  async (command) => {
    const { home, first } = await provisionedHome(homes)
    const generations = { a: { resource: first, state: 'enabled' } }
    catalogue(home, generations)
    await home.run(['rotate'])
    const digest = spkiSha256Of(home)
    const file = catalogue(home, generations, { revoked: [digest] })
    expect(await home.json(['catalogue', 'check', file])).toMatchObject({
      exitCode: 0,
      document: { revokes: ['reports@1'] },
    })
    expect((await home.json([command])).document).toMatchObject({
      revoked: [
        {
          version: 'reports@1',
          before: 'active',
          promoted: null,
          nothingAfter: expect.stringMatching(/Z$/),
          disabling: { verdict: 'done' },
        },
      ],
    })
    expect(statesIn(home)).toContain('reports@1 revoked')

    catalogue(home, generations, { environment: 'prod' })
    expect((await home.run([command])).exitCode).toBe(2)
  },
)
