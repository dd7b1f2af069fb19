import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { type Home, homesOfThisFile, withKey } from '../support/home.ts'

const homes = homesOfThisFile()

const message = 'a document of any kind'
const archived = 'a document of which the service saw the digest alone'
const tokens: string[] = []

/** A home in which two JWTs and one message were signed, by one run of `serve`. */
let home: Home
beforeAll(async () => {
  home = homes.copy()
  home.edit((text) => withKey(text, 'documents: { vault: local, alg: EdDSA, purpose: bytes }'))
  home.edit((text) =>
    withKey(
      text,
      'archive: { vault: local, alg: RS384, purpose: bytes, source: generated, modulusBits: 2048 }',
    ),
  )
  home.edit(
    (text) =>
      `${text}  - { caller: first-caller, key: documents, operations: [sign-message] }\n` +
      '  - { caller: first-caller, key: archive, operations: [sign-digest] }\n',
  )
  await home.run(['rotate'])
  await using serving = await home.serve()
  for (const sub of ['a', 'b']) {
    const { body } = await serving.ask('first-key', { claims: { sub } })
    tokens.push(body.jwt ?? '')
  }
  await serving.ask('documents', { message: Buffer.from(message).toString('base64') })
  const digest = createHash('sha384').update(archived).digest('base64')
  await serving.ask('archive', { digest })
  await serving.stop()
})

const head = z.strictObject({ writer: z.string(), seq: z.int(), hash: z.string() })
const report = z.strictObject({
  verdict: z.enum(['whole', 'broken']),
  breaks: z.array(z.strictObject({ writer: z.string(), seq: z.int(), problem: z.string() })),
  writers: z.int(),
  records: z.int(),
  intents: z.int(),
  unsettled: z.int(),
  heads: z.array(head),
})

describe('audit verify', () => {
  test('of a whole audit counts what there is, and exits 0', async () => {
    const { exitCode, document, stderr } = await home.json(['audit', 'verify'])
    expect([exitCode, stderr]).toEqual([0, ''])
    const { heads, writers, records, ...rest } = report.parse(document)
    expect(rest).toEqual({ verdict: 'whole', breaks: [], intents: 4, unsettled: 0 })
    expect(heads).toHaveLength(writers)
    expect(heads.reduce((sum, { seq }) => sum + seq, 0)).toBe(records)
  })

  test('exits 6, and names the record, when one was edited', async () => {
    const broken = homes.copy(home)
    change(
      broken,
      `update audit set body = replace(body, '"first-caller"', '"other-caller"') where body like '%"intent"%'`,
    )
    const { exitCode, document, stderr } = await broken.json(['audit', 'verify'])
    expect([exitCode, stderr]).toEqual([6, ''])
    const { verdict, breaks } = report.parse(document)
    expect(verdict).toBe('broken')
    expect(breaks[0]).toMatchObject({
      seq: 2,
      problem: 'the record, or one before it, was changed',
    })
    expect(await broken.run(['audit', 'verify'])).toMatchObject({
      exitCode: 6,
      stdout: expect.stringMatching(
        /^The audit is broken: .*\nBROKEN at \S+ 2: the record, or one before it, was changed$/m,
      ),
    })
  })

  test('sees a tail that was cut since a checkpoint, and only against it', async () => {
    const cut = homes.copy(home)
    const checkpoint = join(cut.directory, 'checkpoint.json')
    writeFileSync(checkpoint, JSON.stringify((await cut.json(['audit', 'verify'])).document))
    expect(await cut.run(['audit', 'verify', '--checkpoint', checkpoint])).toMatchObject({
      exitCode: 0,
    })
    change(
      cut,
      'delete from audit where (writer, seq) = (select writer, max(seq) from audit where seq > 4)',
    )
    expect(await cut.run(['audit', 'verify'])).toMatchObject({ exitCode: 0 })
    const compared = await cut.json(['audit', 'verify', '--checkpoint', checkpoint])
    expect(compared.exitCode).toBe(6)
    expect(report.parse(compared.document).breaks).toMatchObject([
      { problem: 'a later record quotes this one, and it is gone' },
    ])
  })

  test('takes no other file for a checkpoint', async () => {
    const ran = await home.run(['audit', 'verify', '--checkpoint', home.configFile])
    expect(ran).toMatchObject({
      exitCode: 2,
      stdout: '',
      stderr: 'chancery: A checkpoint is what `audit verify --json` printed\n',
    })
  })
})

const found = z.strictObject({
  found: z.array(
    z.strictObject({
      label: z.string(),
      records: z.array(z.object({ record: z.looseObject({ type: z.string() }) })),
    }),
  ),
})

describe('audit find', () => {
  test('finds every token of a long list, one a line, with what became of it', async () => {
    const many = Array.from({ length: 500 }, () => tokens).flat()
    const { exitCode, document } = await home.json(['audit', 'find', '--jwt', '-'], {
      input: `${many.join('\n')}\n`,
    })
    expect(exitCode).toBe(0)
    const records = found
      .parse(document)
      .found.map((one) => one.records.map(({ record }) => record))
    expect(records).toHaveLength(many.length)
    expect(records.slice(-2)).toEqual([intentAndOutcome, intentAndOutcome])
  })

  test('exits 3 when one of them is not known here, and still tells of the others', async () => {
    const stranger = (tokens[0] ?? '').replace(/^.{8}/, 'AAAAAAAA')
    const { exitCode, document } = await home.json(['audit', 'find', '--jwt', '-'], {
      input: [...tokens, stranger].join('\n'),
    })
    expect(exitCode).toBe(3)
    expect(found.parse(document).found.map(({ records }) => records.length)).toEqual([2, 2, 0])
  })

  test('finds one token named on the command line, whatever its signature', async () => {
    const unsigned = (tokens[1] ?? '').replace(/[^.]*$/, '')
    const ran = await home.run(['audit', 'find', '--jwt', unsigned])
    expect(ran.exitCode).toBe(0)
    expect(ran.stdout.trim().split('\n')).toHaveLength(2)
    expect(ran.stdout).toMatch(/^jwt 1: \S+ \d+ \{.*"type":"intent"/m)
  })

  test('finds a message by its file', async () => {
    const file = join(home.directory, 'document')
    writeFileSync(file, message)
    expect(await home.run(['audit', 'find', '--message', file])).toMatchObject({ exitCode: 0 })
    writeFileSync(file, `${message}.`)
    expect(await home.run(['audit', 'find', '--message', file])).toMatchObject({
      exitCode: 3,
      stdout: `${file}: not found\n`,
    })
  })

  test('finds a message by its file, of which the digest was sent', async () => {
    const file = join(home.directory, 'archived')
    writeFileSync(file, archived)
    const { exitCode, document } = await home.json(['audit', 'find', '--message', file])
    expect(exitCode).toBe(0)
    const [intent, outcome] = found.parse(document).found[0]?.records ?? []
    expect(intent?.record).toMatchObject({ operation: 'sign-digest', key: 'archive' })
    expect(outcome?.record).toMatchObject({ type: 'outcome', result: 'released' })
  })

  test('of nothing finds nothing, and exits 3', async () => {
    expect(await home.json(['audit', 'find', '--jwt', '-'])).toMatchObject({
      exitCode: 3,
      document: { found: [] },
    })
  })
})

const intentAndOutcome = [
  expect.objectContaining({ type: 'intent', caller: 'first-caller', key: 'first-key' }),
  expect.objectContaining({ type: 'outcome', result: 'released' }),
]

/** Behind the program's back, as somebody with the file could. */
function change({ at }: Home, sql: string): void {
  const database = new DatabaseSync(at('chancery.db'))
  const { changes } = database.prepare(sql).run()
  database.close()
  expect(changes).toBeGreaterThan(0)
}
