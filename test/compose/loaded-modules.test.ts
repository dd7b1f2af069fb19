import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { collected, finished, start } from '../support/chancery.ts'
import { type Home, homesOfThisFile, withKey } from '../support/home.ts'
import { pack, type Packed } from '../support/packed.ts'
import { recorded } from '../support/recorded.ts'
import { awsEnvironment, withAwsVault } from '../support/aws-vault.ts'
import { fakeKms } from '../support/fake-kms.ts'
import { eventually } from '../support/serving.ts'

const homes = homesOfThisFile()
let packed: Packed
beforeAll(() => {
  packed = pack()
})
afterAll(() => packed.remove())

/** What makes, takes in, ends or moves keys: the job's, an operator's, never the service's. */
const neverInService = [
  /^providers\/(?:generators|importers|disablers|administration)\.ts$/,
  /^providers\/[\w-]+\/(?:generator|importer|disabler|init|intents|keep|new-key|rekey|seal|wrap)\.ts$/,
  /^src\/rotation\//,
  /^src\/compose\/(?:job|init|registry|check)\.ts$/,
  /^src\/service\/(?:import|revoke|suspend)\w*\.ts$/,
  /^src\/store\/(?:journal|lease)\.ts$/,
  /^src\/(?:demo|registry)\//,
]

/** Vendors' code is loaded with the first vault that needs it. */
const sdk = /node_modules\/@(?:aws-sdk|smithy|azure)\//

/** Commands of the same program, but not this one. */
const otherCommand = /^src\/cli\/(?!program|context|failure|remedy|host|output|serve)\w+\.ts$/

const forbiddenIn = (modules: readonly string[]) =>
  modules.filter((path) => [...neverInService, otherCommand].some((rule) => rule.test(path)))

const forms = [
  { form: 'as source', program: () => undefined },
  { form: 'as its package has it', program: () => packed.bin },
] as const

describe.each(forms)('what a process of the program $form loads', ({ program }) => {
  const recording = ({ directory }: Home) => recorded(directory, program())

  test('serve has no generator, importer, disabler, rotation or job in it, from start to end', async () => {
    const home = homes.copy()
    const { options, modules } = recording(home)
    await using serving = await home.serve(options)
    const headers = { Authorization: `Bearer ${home.apiKey}` }
    const get = (url: string) => fetch(url, { headers }).then(({ status }) => status)
    const answers = [
      (await serving.ask('first-key', { claims: { sub: 'a' } })).status,
      (await serving.ask('first-key', { claims: { sub: 'a', other: 1 } })).status,
      await get(`${serving.signUrl}/v1/keys/first-key/fingerprint`),
      await get(`${serving.signUrl}/openapi.json`),
      await get(`${serving.opsUrl}/metrics`),
    ]
    expect(answers).toEqual([200, 403, 200, 200, 200])
    expect((await serving.stop()).exitCode).toBe(0)

    const loaded = modules()
    expect(forbiddenIn(loaded)).toEqual([])
    const seen = [
      'src/main.ts',
      'src/compose/serve.ts',
      'providers/local/signer.ts',
      'src/http/openapi.ts',
    ]
    expect(loaded).toEqual(expect.arrayContaining([...seen, 'src/store/audit-worker.ts']))
    expect(loaded.some((path) => path.includes('node_modules/hono/'))).toBe(true)
    expect(loaded.filter((path) => sdk.test(path))).toEqual([])
  })

  test('serve of a vault in AWS loads its SDK and its signer, and nothing that makes keys', async () => {
    await using kms = await fakeKms()
    const home = homes.copy()
    home.edit((text) => withAwsVault(text, kms.endpoint))
    const { options, modules } = recording(home)
    await using serving = await home.serve({
      ...options,
      env: { ...options.env, ...awsEnvironment },
    })
    expect((await serving.ask('first-key', { claims: { sub: 'a' } })).status).toBe(200)
    expect((await serving.stop()).exitCode).toBe(0)

    const loaded = modules()
    expect(forbiddenIn(loaded)).toEqual([])
    expect(loaded).toContain('providers/aws-kms/signer.ts')
    expect(loaded.some((path) => sdk.test(path))).toBe(true)
  })

  test('the recording would have shown them: rotate has all of it in it', async () => {
    const home = homes.copy()
    home.edit((text) => withKey(text, 'second: { vault: local, alg: EdDSA, purpose: bytes }'))
    const { options, modules } = recording(home)
    expect((await home.run(['rotate'], options)).exitCode).toBe(0)
    expect(forbiddenIn(modules())).toEqual(
      expect.arrayContaining([
        'providers/generators.ts',
        'providers/local/generator.ts',
        'providers/local/seal.ts',
        'src/compose/job.ts',
        'src/rotation/tick.ts',
        'src/store/journal.ts',
        'src/cli/rotate.ts',
      ]),
    )
  })

  test('the embedded registry has nothing in it that could sign, or read a vault or the store', async () => {
    const home = homes.copy()
    const config = join(home.directory, 'registry.yaml')
    writeFileSync(config, '{ listen: 127.0.0.1:0, sqlite: ./registry.db }')
    const { options, modules } = recording(home)
    const child = start(['--config', config, 'registry', 'serve'], options)
    const [stdout, ended] = [collected(child.stdout), finished(child)]
    await Promise.race([eventually(() => stdout().includes('listening')), ended])
    child.kill('SIGTERM')
    expect((await ended).exitCode).toBe(0)
    const loaded = modules()
    // The program itself knows what a vault's configuration looks like, and how an API key is made.
    const never =
      /^providers\/(?!index\.ts|[\w-]+\/config\.ts)|^src\/(?:service|rotation|audit|http|ops|demo)\//
    expect(loaded.filter((path) => never.test(path))).toEqual([])
    const stores = loaded.filter((path) => path.startsWith('src/store/'))
    expect(stores.toSorted()).toEqual(
      ['dialect', 'migrate', 'sqlite'].map((name) => `src/store/${name}.ts`),
    )
    expect(loaded).toContain('src/registry/server/app.ts')
  })

  test('a revocation waits for nothing but the store, and loads its vault when it is in force', async () => {
    const home = homes.copy()
    const { options, modules } = recording(home)
    const revoked = await home.run(['revoke', 'first-key@1', '--reason', 'a test'], options)
    expect(revoked.exitCode).toBe(0)
    const loaded = modules()
    const others =
      /node_modules\/(?:jose|pino|cockatiel|@noble|node-forge|hono)\/|^src\/(?:rotation|policy\/decide|http|ops)|^src\/auth\/(?!api-key)|^src\/compose\/(?:rotating|inquiries|handwork)/
    expect(loaded.filter((path) => others.test(path))).toEqual([])
    const [store, vault] = ['src/store/store.ts', 'providers/local/disabler.ts']
    expect(loaded.indexOf(vault)).toBeGreaterThan(loaded.indexOf(store))
  })

  test('a command that needs no configuration opens no store and no vault', async () => {
    const home = homes.copy()
    const { options, modules } = recording(home)
    expect((await home.run(['callers', 'new-key', 'shop'], options)).exitCode).toBe(0)
    const loaded = modules()
    expect(loaded).toContain('src/cli/callers.ts')
    const stores = /node_modules\/kysely\/|^src\/(?:store|service)\/|^providers\/[\w-]+\/(?!config)/
    expect(loaded.filter((path) => stores.test(path))).toEqual([])
  })
})
