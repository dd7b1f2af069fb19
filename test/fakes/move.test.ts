import { decodeProtectedHeader, importJWK, jwtVerify } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import {
  readmeBlocks,
  readmePages,
  type ReadmeShell,
  readmeShell,
  withSections,
} from '../support/readme-shell.ts'
import { printedFakes, startFakes } from '../support/started-fakes.ts'

/** What the README says of moving from `local` to a cloud, done with its own words at the fakes. */

const page = readmePages.get('For the security team')
const [moving = '', lettingGo = '', ...others] = readmeBlocks('bash', page)
const added = readmeBlocks('text').find((block) => block.includes('first-in-aws')) ?? ''
const lines = (block: string) => block.trim().split('\n')
const config = 'npx chancery --config first/chancery.yaml'
const ask = (key: string) =>
  `curl -sS -H @first/var/caller.header -H 'Content-Type: application/json' -d '{"claims":{"sub":"hello"}}' http://127.0.0.1:8480/v1/keys/${key}/sign`
const signed = z.object({ jwt: z.string(), key: z.string(), version: z.number() })

describe('moving from local to a cloud, as the README says', () => {
  let fakes: Awaited<ReturnType<typeof startFakes>>
  let shell: ReadmeShell

  beforeAll(async () => {
    fakes = await startFakes('--json')
    const { vaults, environment } = printedFakes(fakes.stdout())
    shell = await readmeShell(environment)
    await done('npx chancery init first')
    shell.usePorts()
    await done(`${config} serve`)
    shell.edit((text) => withAdded(text, JSON.stringify(vaults.aws)))
  })
  afterAll(async () => {
    await shell[Symbol.asyncDispose]()
    await fakes.stop('SIGTERM')
  })

  async function done(command: string): Promise<string> {
    const { exitCode, text = '' } = await shell.perform(command)
    expect(exitCode, `${command}\n${text}`).toBe(0)
    return text
  }

  async function all(block: string): Promise<ReadonlyMap<string, string>> {
    const said = new Map<string, string>()
    for (const command of lines(block)) said.set(command, await done(command))
    return said
  }

  const problem = async (key: string) => z.string().parse((await shell.perform(ask(key))).exitCode)

  test('is two blocks of commands, and they are all that need a cloud', () => {
    expect([lines(moving).length, lines(lettingGo).length, others]).toEqual([5, 5, []])
  })

  test('adds a key of which the old one knows nothing: both sign', async () => {
    expect(await done(ask('first-key'))).toContain('"key":"first-key"')
    const said = await all(moving)
    const [shown = '', answer = ''] = [...said.values()].slice(-2)
    const { jwt, key, version } = signed.parse(JSON.parse(answer))
    expect([key, version]).toEqual(['first-in-aws', 1])
    const jwk = z.object({ kid: z.string() }).loose().parse(JSON.parse(shown))
    expect(decodeProtectedHeader(jwt).kid).toBe(jwk.kid)
    const verified = await jwtVerify(jwt, await importJWK(jwk, 'ES256'))
    expect(verified.payload).toMatchObject({ iss: 'https://chancery.example', sub: 'hello' })
    expect(await done(ask('first-key'))).toContain('"key":"first-key"')
  })

  test('lets the old one go, which no run of the job makes again', async () => {
    const [suspend = '', ...rest] = lines(lettingGo)
    await done(suspend)
    expect(await problem('first-key')).toContain('"code":"suspended"')
    const said = [...(await all(rest.join('\n'))).values()]
    expect(said[0]).toContain('first-key@1')
    expect(said[1]).toContain('It is disabled in its vault.')
    expect(said[2]).toBe('nothing is due\n')
    expect(said[3]).toBe('nothing waits for a human\n')
    expect(await problem('first-key')).toMatch(/"code":"(suspended|no_active_version)"/)
    expect(await done(ask('first-in-aws'))).toContain('"key":"first-in-aws"')
  })

  test('leaves a configuration without the old key and its vault', async () => {
    shell.edit(withoutLocal)
    await done(`${config} config check`)
    await done(`${config} rotate`)
    await done(`${config} serve`)
    expect(await problem('first-key')).toContain('"code":"key_not_found"')
    expect(await done(ask('first-in-aws'))).toContain('"key":"first-in-aws"')
    expect(await done(`${config} keys list`)).toContain('first-key@1  revoked')
    await done(`${config} audit verify`)
  })
})

/** The README's lines, each in its section; the vault is the fake one. */
function withAdded(text: string, aws: string): string {
  return withSections(
    text,
    added.replace(/^ {2}aws: .*$/m, () => `  aws: ${aws}`),
  )
}

/** What `init` wrote of its key, its grant and its vault is taken out. */
function withoutLocal(text: string): string {
  return [
    /^ {2}local: .*\n/m,
    /^ {2}first-key:\n(?: {4}.*\n)+/m,
    /^ {2}- caller: first-caller\n {4}key: first-key\n(?: {4}.*\n)+/m,
    /^allowSoftwareKeys: .*\n/m,
  ].reduce((so, part) => {
    expect(so).toMatch(part)
    return so.replace(part, '')
  }, text)
}
