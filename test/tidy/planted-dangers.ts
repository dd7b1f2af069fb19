import type { Planted } from './planted.ts'

const inTransaction = (body: string): string =>
  `export const run = () => store.writeTransaction(async (tx) => {\n${body}\n})`

const ecTable = "{ a: '1', b: '2', c: '3', d: '4' }"
const pairs = "new Map([['a', '1'], ['b', '2'], ['c', '3'], ['d', '4']])"
const page = '/** https://learn.microsoft.com/azure/key-vault */'

export const plantedAmbience: readonly Planted[] = [
  {
    rule: 'one environment',
    bad: [
      { 'src/http/a.ts': 'export const a = process.env.PORT' },
      { 'src/http/a.ts': "export const a = globalThis.process?.['env']" },
      { 'src/http/a.ts': 'export const { env } = process' },
      { 'providers/aws-kms/src/config/a.ts': 'export const a = process.env.PORT' },
      { 'providers/aws-kms/a.ts': "import { env } from 'node:process'" },
    ],
    clean: [
      { 'src/config/load.ts': 'export const a = process.env.PORT' },
      { 'src/main.ts': 'export const a = process.env.UV_THREADPOOL_SIZE' },
      { 'src/http/a.ts': "export const a = 'process.env' // process.env" },
      { 'src/http/a.ts': 'export const a = (c: Context) => c.env' },
    ],
  },
  {
    rule: 'one clock',
    bad: [
      { 'src/service/a.ts': 'export const a = Date.now()' },
      { 'src/service/a.ts': 'export const a = (now = Date.now) => now()' },
      { 'src/service/a.ts': 'export const a = new Date()' },
      { 'src/service/a.ts': 'export const a = performance.now()' },
      { 'test/a.test.ts': 'const a = process.hrtime.bigint()' },
      { 'test/bench/sign.ts': 'const a = Date.now()' },
    ],
    clean: [
      { 'src/lib/clock.ts': 'export const now = () => Date.now()' },
      { 'src/service/a.ts': 'export const a = (now: number) => new Date(now)' },
      { 'test/bench/sign.ts': 'const a = performance.now()' },
    ],
  },
  {
    rule: 'one source of waiting',
    bad: [
      { 'src/service/a.ts': 'setTimeout(run, 5)' },
      { 'src/service/a.ts': 'export const wait = promisify(setTimeout)' },
      { 'src/service/a.ts': 'export const signal = AbortSignal.timeout(5)' },
      { 'src/rotation/a.ts': 'globalThis.setInterval(run, 5)' },
      { 'test/a.test.ts': "import { setTimeout as sleep } from 'node:timers/promises'" },
    ],
    clean: [
      { 'src/lib/deadline.ts': 'export const signal = AbortSignal.timeout(5)' },
      { 'src/http/a.ts': 'server.setTimeout(5)' },
      { 'src/http/a.ts': 'export type Timer = ReturnType<typeof setTimeout>' },
      { 'test/crash/a.ts': 'setTimeout(run, 5)' },
    ],
  },
  {
    rule: 'one source of chance',
    bad: [
      { 'src/lib/ulid.ts': 'export const a = Math.random()' },
      { 'test/a.test.ts': 'const a = { random: Math.random }' },
    ],
    clean: [{ 'src/lib/ulid.ts': 'export const a = Math.max(1, random())' }],
  },
  {
    rule: 'one log',
    bad: [
      { 'src/service/a.ts': 'console.error(1)' },
      { 'src/compose/a.ts': 'process.stdout.write(line)' },
    ],
    clean: [
      { 'src/cli/a.ts': 'process.stdout.write(line)' },
      { 'src/ops/a.ts': 'export const a = routes.console.html' },
    ],
  },
  {
    rule: 'one JSON reader',
    bad: [
      { 'src/http/a.ts': 'export const a = JSON.parse(text)' },
      { 'src/http/a.ts': 'export const a = texts.map(JSON.parse)' },
      { 'src/http/a.ts': 'export const a = async (c: Context) => await c.req.json()' },
      { 'src/http/a.ts': 'export const a = (request: Request) => request.json()' },
    ],
    clean: [
      { 'src/lib/json.ts': 'export const a = JSON.parse(text)' },
      { 'src/http/a.ts': "export const a = (c: Context) => c.json({ id: c.req.param('id') })" },
      { 'src/http/a.ts': "export const a = z.json().openapi('Json')" },
      { 'src/client/a.ts': 'export const a = (response: Response) => response.json()' },
    ],
  },
  {
    rule: 'strict decoding',
    bad: [
      { 'src/http/a.ts': "export const a = Buffer.from(text, 'base64url')" },
      { 'src/http/a.ts': 'export const a = Buffer.from(text, encoding)' },
      { 'src/http/a.ts': 'export const a = atob(text)' },
    ],
    clean: [
      { 'src/lib/bytes.ts': "export const a = Buffer.from(text, 'base64')" },
      { 'src/http/a.ts': "export const a = Buffer.from(text, 'hex').toString('base64')" },
      { 'src/http/a.ts': 'export const a = Buffer.from(bytes.buffer, bytes.byteOffset, length)' },
    ],
  },
  {
    rule: 'no eval',
    bad: [
      { 'src/lib/a.ts': "eval('1')" },
      { 'test/a.test.ts': "const a = new Function('return 1')" },
    ],
    clean: [{ 'src/lib/a.ts': 'export const a = z.instanceof(Function)' }],
  },
]

export const plantedSecrecy: readonly Planted[] = [
  {
    rule: 'secrets compared in constant time',
    bad: [
      { 'src/auth/a.ts': 'export const a = given.apiToken === row.hash' },
      { 'src/auth/a.ts': 'export const a = hash !== this.#secret' },
      { 'src/auth/a.ts': 'export const a = userPIN == stored' },
      { 'providers/local/a.ts': 'export const a = mac === sha256(bytes)' },
    ],
    clean: [
      { 'src/auth/a.ts': "export const a = token === undefined || typeof token === 'string'" },
      { 'src/auth/a.ts': "export const a = token !== '' && token.length === wanted" },
      { 'src/auth/a.ts': 'export const a = secretName === wanted || tokens === before' },
      { 'src/lib/bytes.ts': 'export const a = one.mac === other.mac' },
    ],
  },
  {
    rule: 'private keys are not exported',
    bad: [
      { 'src/service/a.ts': "key.export({ type: 'pkcs8', format: 'der' })" },
      { 'src/service/a.ts': "generateKeyPair(kind, { privateKeyEncoding: { type: 'pkcs8' } })" },
      { 'src/keys/a.ts': "export const a = key.export({ format: 'jwk' })" },
      { 'providers/aws-kms/signer.ts': "subtle.exportKey('pkcs8', key)" },
      { 'src/registry/contentful.ts': 'post({ generate: true })' },
    ],
    clean: [
      { 'src/signing/public-jwk.ts': "export const a = key.export({ format: 'jwk' })" },
      { 'src/service/a.ts': "createPrivateKey({ key, format: 'der', type: 'pkcs8' })" },
      { 'src/service/a.ts': "createPublicKey({ key, format: 'jwk' })" },
      { 'providers/aws-kms/importer.ts': "key.export({ type: 'pkcs8', format: 'der' })" },
      { 'src/keys/a.ts': "key.export({ type: 'spki', format: 'der' })" },
    ],
  },
  {
    rule: 'exact salt',
    bad: [
      { 'src/signing/a.ts': 'export const a = constants.RSA_PSS_SALTLEN_AUTO' },
      { 'test/a.test.ts': "const a = crypto.createSign('sha256')" },
    ],
    clean: [
      { 'src/signing/a.ts': 'export const a = constants.RSA_PSS_SALTLEN_DIGEST' },
      { 'src/signing/a.ts': "export const a = 'RSA_PSS_SALTLEN_AUTO' // never createSign(" },
    ],
  },
  {
    rule: 'transactions are short',
    bad: [
      { 'src/store/a.ts': inTransaction('await tx.write(await fetch(url))') },
      { 'src/store/a.ts': inTransaction('fetch(url)') },
      { 'src/store/a.ts': inTransaction('await sleep(5)') },
      { 'src/store/a.ts': inTransaction('const row = await tx.row()\nawait tell(row)') },
      { 'src/store/a.ts': inTransaction('deps.vault.disable(key)') },
      { 'src/store/a.ts': inTransaction('for await (const row of rows) tx.write(row)') },
      { 'src/store/a.ts': 'store.inTransaction(async (tx: Handle) => { await Handle.all() })' },
      { 'src/store/a.ts': 'db.transaction().execute(async (trx) => { await registry.list() })' },
      { 'test/a.test.ts': 'store.inTransaction(() => { signer.sign(bytes) })' },
    ],
    clean: [
      { 'src/store/a.ts': inTransaction("await tx.selectFrom('registry').execute()") },
      { 'src/store/a.ts': inTransaction('await insertVaultProof(tx, row)') },
      {
        'src/store/a.ts': inTransaction(
          'const writes = rows.map((r) => put(tx, r))\nawait all(writes)',
        ),
      },
      { 'src/store/a.ts': 'export const run = async () => { await fetch(url) }' },
      { 'src/store/a.ts': 'store.inTransaction(run).then(async () => { await registry.list() })' },
    ],
  },
  {
    rule: 'tables have sources',
    bad: [
      { 'providers/azure/a.ts': `const names: Record<Name, string> = ${ecTable}` },
      { 'providers/azure/a.ts': `export const names = ${ecTable} satisfies Record<Name, string>` },
      { 'providers/azure/a.ts': `/** Our words. */\nexport const codes = ${pairs}` },
      { 'providers/azure/a.ts': `${page}\nexport const one = 1\nexport const codes = ${pairs}` },
    ],
    clean: [
      { 'providers/azure/a.ts': `${page}\nexport const names: Record<Name, string> = ${ecTable}` },
      { 'providers/azure/a.ts': `${page}\n// Read twice.\nexport const codes = ${pairs}` },
      { 'providers/azure/a.ts': "const names: Record<Name, string> = { a: '1' }" },
      { 'src/lib/a.ts': `const names: Record<Name, string> = ${ecTable}` },
    ],
  },
]
