import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { application, type Application } from '../support/application.ts'
import { homesOfThisFile } from '../support/home.ts'
import { nodeOfThisMachine, packClient, type PackedClient } from '../support/packed-client.ts'

const root = resolve(import.meta.dirname, '../..')
const homes = homesOfThisFile()
let packed: PackedClient
let app: Application
beforeAll(async () => {
  packed = packClient()
  app = await application(homes.copy(), [])
})
afterAll(async () => {
  packed.remove()
  await app.serving[Symbol.asyncDispose]()
})

test('the package holds compiled code, its types and its documents, and nothing else', () => {
  const others = packed.files.filter((path) => !/^dist\/[\w-]+\.(?:d\.ts|js)$/.test(path))
  expect(others.toSorted()).toEqual(['LICENSE', 'README.md', 'package.json'])
  expect(packed.files).toEqual(expect.arrayContaining(['dist/index.js', 'dist/index.d.ts']))
})

test('it needs no other package, and says which Node it needs', () => {
  const file = join(packed.directory, 'node_modules/@chancery/client/package.json')
  const manifest = z.looseObject({}).parse(JSON.parse(readFileSync(file, 'utf8')))
  expect(manifest).toMatchObject({ name: '@chancery/client', engines: { node: '>=20' } })
  for (const kind of ['dependencies', 'peerDependencies', 'optionalDependencies', 'scripts']) {
    expect(manifest).not.toHaveProperty(kind)
  }
})

const script = `
import { ChanceryError, clientAssertion, contentfulAppToken, createChanceryClient, githubCreateJwt, icrAccessToken, tokenSigner } from '@chancery/client'
const [url, credential] = process.argv.slice(2)
const client = createChanceryClient({ url, credential: async () => credential })
const [{ jwt }, again] = await Promise.all([client.jwt('first-key', { sub: 'a' }), client.jwt('first-key', { sub: 'a' })])
const { fingerprints } = await client.fingerprint('first-key')
const refused = await client.sign('nobodys', { claims: {} }).catch((error) => error)
await client.sign('first-key', { claims: {} }, { signal: AbortSignal.timeout(60_000) }).catch(() => {})
const late = await createChanceryClient({ url, credential: () => new Promise(() => {}), timeoutMs: 1 }).sign('first-key', { claims: {} }).catch((error) => error)
const adapters = [clientAssertion, contentfulAppToken, githubCreateJwt, icrAccessToken, tokenSigner]
console.log(JSON.stringify({ parts: jwt.split('.').length, isKept: again.jwt === jwt, names: Object.keys(fingerprints).length, isError: refused instanceof ChanceryError, code: refused.code, late: late.code, adapters: adapters.length }))
`

describe('a plain JavaScript file', () => {
  const machine = nodeOfThisMachine()
  test.each([
    ['the Node that we run on', process.execPath],
    [`this machine’s own, ${machine.version}`, machine.path],
  ])('signs with it on %s', (_, node) => {
    const file = join(packed.directory, 'application.js')
    writeFileSync(file, script)
    const args = [file, app.serving.signUrl, app.home.apiKey]
    const output: unknown = JSON.parse(execFileSync(node, args, { encoding: 'utf8' }))
    expect(output).toEqual({
      parts: 3,
      isKept: true,
      names: 6,
      isError: true,
      code: 'key_not_found',
      late: 'timed_out',
      adapters: 5,
    })
  })
})

describe('in TypeScript', () => {
  const compile = (text: string): string => {
    const file = join(packed.directory, 'application.ts')
    writeFileSync(file, text)
    const tsc = join(root, 'node_modules/.bin/tsc')
    const types = ['--types', 'node', '--typeRoots', join(root, 'node_modules/@types')]
    const strict = ['--strict', '--noEmit', '--module', 'nodenext', '--target', 'es2022']
    try {
      const options = { cwd: packed.directory, encoding: 'utf8' } as const
      return execFileSync(tsc, [...strict, ...types, 'application.ts'], options)
    } catch (error) {
      return z.object({ stdout: z.string() }).parse(error).stdout
    }
  }
  const head = `import { type ChanceryErrorCode, createChanceryClient, tokenSigner } from '@chancery/client'
const client = createChanceryClient({ url: 'https://chancery.example', credential: 'chn_a' })
`

  test('an application compiles against its types', () => {
    const text = `${head}
const { jwt, expiresAt } = await client.sign('blog', { claims: { sub: 'a' } })
const { signature } = await client.sign('documents', { message: '', encoding: 'hex' })
const one: string = await client.fingerprint('blog', { format: 'github' })
const sign: (signingInput: string) => Promise<string> = tokenSigner(client, 'sdk')
export const all: readonly (string | null)[] = [jwt, expiresAt, signature, one, await sign('a.b')]
export const code: ChanceryErrorCode = 'rate_limited'
`
    expect(compile(text)).toBe('')
  })

  test.each([
    ['two forms of a body', `await client.sign('a', { claims: {}, message: '' })`],
    ['a JWT of bytes', `export const { jwt } = await client.sign('a', { message: '' })`],
    ['an unknown format', `await client.fingerprint('a', { format: 'md5' })`],
    ['an unknown code', `const code: ChanceryErrorCode = 'nonsense'; export { code }`],
    ['an option too much', `createChanceryClient({ url: '', credential: '', retries: 9 })`],
  ])('%s is an error', (_, text) => {
    expect(compile(`${head}${text}\n`)).toMatch(/^application\.ts\(3,\d+\): error TS2/)
  })
})
