import { writeSync } from 'node:fs'
import { expect, test } from 'vitest'
import { authority, uri } from '../support/certificates.ts'
import { type Canary, type Haystack, leaks } from '../support/canaries.ts'
import type { Finished } from '../support/chancery.ts'
import { homesOfThisFile } from '../support/home.ts'
import {
  contentsOf,
  filesOf,
  plant,
  type Planted,
  secretFiles,
  secretsOf,
} from '../support/planted-session.ts'
import { requestText } from '../support/raw-socket.ts'
import { clients, servers } from '../support/secured-home.ts'
import { eventually, type Serving } from '../support/serving.ts'
import { blogUri, clientOptions, tlsExchange } from '../support/tls-listener.ts'

const homes = homesOfThisFile()

function asking(key: string, body: string, headers: readonly string[]): string {
  const length = `Content-Length: ${Buffer.byteLength(body)}`
  const fixed = ['Host: localhost', 'Content-Type: application/json', 'Connection: close', length]
  return requestText(`POST /v1/keys/${key}/sign HTTP/1.1`, [...fixed, ...headers], body)
}

/** Good requests, and failures of every kind, each with secrets in it. @returns the answers, refusals apart. */
async function conversation(planted: Planted, { signUrl }: Serving) {
  const { home, token, claim, message } = planted
  const bearer = (text: string) => `Authorization: Bearer ${text}`
  const [byKey, byToken] = [bearer(home.apiKey), bearer(token)]
  const claims = JSON.stringify({ claims: { sub: claim } })
  const signed = JSON.stringify({ message: message.toString('base64') })
  const cut = (text: string) => text.slice(0, -9)
  const good: readonly string[] = [
    asking('first-key', claims, [byKey]),
    asking('first-key', claims, [byToken]),
    asking('mac', signed, [byToken]),
    asking('mac', signed, [byKey, 'Accept: text/plain']),
  ]
  const bad: readonly string[] = [
    asking('first-key', JSON.stringify({ claims: { sub: claim, other: claim } }), [byKey]),
    asking('first-key', JSON.stringify({ claims: { sub: 'a', [planted.claimName]: 1 } }), [byKey]),
    asking('first-key', JSON.stringify({ claims: { iss: claim, sub: home.apiKey } }), [byKey]),
    asking('first-key', JSON.stringify({ signingInput: token }), [byKey]),
    asking('mac', JSON.stringify({ message: cut(token).split('.', 2).join('.') }), [byKey]),
    asking('mac', cut(signed), [byKey]),
    asking('mac', claims, [byToken]),
    asking(home.apiKey.toLowerCase().replaceAll('_', '-').slice(0, 60), claims, [byKey]),
    asking(token, claims, [byKey]),
    asking('first-key', claims, [bearer(cut(token))]),
    asking('first-key', claims, [bearer(`${home.apiKey}0`)]),
    asking('first-key', claims, [bearer(token.replace(/\.[^.]+$/, '.AAAA'))]),
    asking('first-key', claims, [byKey, byToken]),
    asking('first-key', claims, [byKey, `X-Request-Id: ${token}`, `X-Request-Timeout: ${token}`]),
    asking('first-key', claims, [byKey, `Expect: ${token}`]),
    asking('first-key', claims, [`Authorization : Bearer ${token}`]),
    `${token}\r\n\r\n`,
  ]
  const told = async (texts: readonly string[], options = {}) =>
    Promise.all(texts.map((text) => tlsExchange(signUrl, { servers }, options, text)))
  const certificate = clientOptions(clients.issue({ names: [uri(blogUri)] }))
  const forged = clientOptions(authority('clients').issue({ names: [uri(blogUri)] }))
  const answered = [
    ...(await told(good)),
    ...(await told([asking('first-key', claims, [])], certificate)),
  ]
  expect(answered.flatMap(({ statuses }) => statuses)).toEqual(Array(5).fill(200))
  const refused = [
    ...(await told(bad)),
    ...(await told([asking('first-key', claims, [byToken])], certificate)),
    ...(await told([asking('first-key', claims, [byToken])], forged)),
  ]
  expect(refused.flatMap(({ statuses }) => statuses).filter((status) => status < 400)).toEqual([])
  const hay =
    (name: string) =>
    ({ text }: { text: string }, i: number) =>
      named(`${name} ${i}`, text)
  return { answered: answered.map(hay('answer')), refused: refused.map(hay('refusal')) }
}

const named = (name: string, text: string): Haystack => ({ name, content: Buffer.from(text) })

/** Commands that are given secrets where they expect something else. */
async function commands({ home, token, claim, env }: Planted): Promise<readonly Haystack[]> {
  const { at } = home
  const wrong = ['tls.key', 'master.key', 'audit-digest.key', 'caller.header']
  home.edit(
    (text) =>
      text
        .replace('./var/tls.crt', './var/tls.key')
        .replace('./var/clients.crt', './var/tls.key')
        .replace('digestKeyFile: ./var/audit-digest.key', 'digestKeyFile: ./var/tls.key'),
    'wrong.yaml',
  )
  const who = ['explain', '--caller', 'first-caller', '--key', 'first-key']
  const tried: readonly (readonly string[])[] = [
    ...wrong.flatMap((file) => [
      ['fingerprint', at(file)],
      ['--config', at(file), 'config', 'check'],
      [...who, '--claims', at(file)],
      [...who, '--signing-input', at(file)],
      ['audit', 'verify', '--checkpoint', at(file)],
    ]),
    ['--config', `${home.directory}/wrong.yaml`, 'config', 'check'],
    ['--config', `${home.directory}/wrong.yaml`, 'serve'],
    ['keys', 'list'],
    ['keys', 'show', 'mac'],
    ['audit', 'find', '--message', at('tls.key')],
  ]
  const run = async (command: readonly string[], input?: string) =>
    heard(await home.run(command, { env, ...(input && { input }) }))
  const said = (await Promise.all(tried.map((command) => run(command)))).flat()
  said.push(...(await run(['vault', 'rekey', 'local'])), ...(await run(['audit', 'verify'])))
  for (const input of [token, home.apiKey, `{"sub":"${claim}","sub":1}`]) {
    said.push(...(await run([...who, '--claims', '-'], input)))
    said.push(...(await run(['audit', 'find', '--jwt', '-'], input)))
  }
  return said
}

function heard({ stdout, stderr }: Finished): readonly Haystack[] {
  return [named('stdout', stdout), named('stderr', stderr)]
}

/** A whole session, and everything that it said or left behind. */
async function session(planted: Planted, options = {}) {
  const { home, env } = planted
  const before = await secretsOf(planted)
  await using serving = await home.serve({ ...options, env: { ...env, ...Object(options).env } })
  const first = await conversation(planted, serving)
  const said = await commands(planted)
  const second = await conversation(planted, serving)
  const metrics = await (await fetch(`${serving.opsUrl}/metrics`)).text()
  await eventually(() => serving.stderr().includes('"code":"ok"'))
  const files = filesOf(home)
  expect(files.map(({ name }) => name)).toContain('var/chancery.db-wal')
  const ended = heard(await serving.stop())
  const left = [...files, ...filesOf(home)].filter(({ name }) => !secretFiles.includes(name))
  return {
    secrets: [...before, ...(await secretsOf(planted))],
    answers: [...first.answered, ...second.answered],
    refusals: [...first.refused, ...second.refused],
    everythingElse: [...said, ...ended, ...left, named('metrics', metrics)],
  }
}

const bytesOf = (hay: readonly Haystack[]) =>
  hay.reduce((sum, { content }) => sum + content.length, 0)

test('no secret and nothing that a caller sent shows in anything that a session writes', async () => {
  const planted = await plant(homes.copy())
  const { secrets, answers, refusals, everythingElse } = await session(planted)
  const all: readonly Canary[] = [...secrets, ...contentsOf(planted)]
  const told = [...answers, ...refusals]
  const places = everythingElse.length + told.length
  const searched = bytesOf(everythingElse) + bytesOf(told)
  writeSync(
    1,
    `canaries: ${all.length} secrets in ${searched} bytes of ${places} outputs and files\n`,
  )
  expect(new Set(all.map(({ name }) => name)).size).toBe(17)
  expect(searched).toBeGreaterThan(300_000)
  expect(leaks(everythingElse, all)).toEqual([])
  expect(leaks(told, secrets)).toEqual([])
  // A refusal may name a claim to whoever sent it, and nobody else.
  const values = contentsOf(planted).filter(({ name }) => name !== 'name of a claim')
  expect(values).toHaveLength(2)
  expect(leaks(refusals, values)).toEqual([])
  // The search finds what is there: in the files that hold secrets, and in the answers' JWTs.
  const own = filesOf(planted.home).filter(({ name }) => secretFiles.includes(name))
  expect(new Set(leaks(own, secrets).map((leak) => leak.replace(/ in .*/, '')))).toEqual(
    new Set([
      'master key raw',
      'audit digest key raw',
      'API key raw',
      'API key’s secret raw',
      'TLS PEM raw',
    ]),
  )
  expect(leaks(answers, contentsOf(planted)).length).toBeGreaterThan(0)
})

test('a log line that held the credential would be found', async () => {
  const planted = await plant(homes.copy())
  const seeding = new URL('../support/seed.ts', import.meta.url).href
  const { secrets, everythingElse } = await session(planted, {
    nodeArguments: ['--import', seeding],
    env: { CHANCERY_SEED: 'the credential is logged' },
  })
  const places = ['stderr', 'var/chancery.db-wal'] // a caller's request id is in the audit, too
  const found = places.flatMap((place) => [
    `API key raw in ${place}`,
    `OIDC token raw in ${place}`,
    `OIDC token’s payload in base64url in ${place}`,
  ])
  expect(leaks(everythingElse, secrets)).toEqual(expect.arrayContaining(found))
})
