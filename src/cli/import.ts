import type { KeyObject } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { ServiceError } from '../errors.ts'
import { instant } from '../lib/clock.ts'
import type { SecretEncoding } from '../lib/secret.ts'
import { readExpectation } from '../service/expectation.ts'
import { type CsvKey, readCsv } from '../service/import-csv.ts'
import { readPrivateKey } from '../service/import-pem.ts'
import { readSecret, secretOf } from '../service/import-secret.ts'
import type { Context } from './context.ts'
import { exitCodes, problemOf } from './failure.ts'
import type { ImportReport } from './host.ts'
import { readPrivateInput } from './input.ts'
import { leftBehindDocument, leftBehindLines } from './left-behind.ts'
import { askUnseen } from './prompt.ts'
import { notYetDocument, unfinishedWords } from './rotation-words.ts'

export type ImportOptions = {
  readonly pem?: string
  readonly secret?: string
  readonly csv?: string
  readonly secretEncoding: SecretEncoding
  readonly keyId?: string
  readonly expect: readonly string[]
  readonly regenerated?: boolean
  readonly deleteSource?: boolean
}

/** An RSA-8192 key as PEM has less than 7 KiB, and a portal's file of all its keys not much more. */
const sourceBytesMax = 65_536

/** What an operator may call a key of a portal: printable, without spaces. */
const keyIdForm = /^[\x21-\x7e]{1,256}$/

export async function importFile(
  { host, output, configFile }: Context,
  key: string,
  options: ImportOptions,
): Promise<number> {
  const file = sourceOf(options)
  if (options.deleteSource && file === '-') throw usage('stdin cannot be deleted: name a file')
  const expectations = options.expect.map(readExpectation)
  const source = await readSource(options, file)
  if (source.keyId !== undefined && !keyIdForm.test(source.keyId)) {
    throw usage('A key id has 1 to 256 printable characters, and no space')
  }
  await using job = await host.openJob(configFile, 'import')
  const isRegenerated = options.regenerated ?? false
  const { given, keyId } = source
  const report = await job.import({ key, given, expectations, keyId, isRegenerated })
  const left = await deletedOf(file, options)
  output.result(lines(report, file, left), document(report, left))
  const isWhole = report.activationError === undefined && left !== 'cannot be deleted'
  return isWhole ? exitCodes.done : exitCodes.partial
}

type Left = 'deleted' | 'kept' | 'cannot be deleted'

/** Only now: until the key is a version, the file may be the only one who has it. */
async function deletedOf(file: string, { deleteSource }: ImportOptions): Promise<Left> {
  if (!deleteSource) return 'kept'
  try {
    await rm(file)
    return 'deleted'
  } catch {
    return 'cannot be deleted'
  }
}

function sourceOf({ pem, secret, csv }: ImportOptions): string {
  const [file, ...others] = [pem, secret, csv].filter((one) => one !== undefined)
  if (file !== undefined && others.length === 0) return file
  throw usage('Name one of --pem, --secret and --csv')
}

type Source = { readonly given: KeyObject; readonly keyId: string | undefined }

/** The bytes are zeroed when their key has been made of them. */
async function readSource(options: ImportOptions, file: string): Promise<Source> {
  const { pem, csv, keyId, secretEncoding } = options
  const bytes = await readBytes(options, file)
  try {
    if (pem !== undefined) return { given: await readPrivateKey(bytes, askPassphrase), keyId }
    if (csv === undefined) return { given: readSecret(bytes, secretEncoding), keyId }
    const row = readCsv(bytes, keyId)
    if (options.deleteSource) assertOnlyKey(file, row)
    return { given: secretOf(row.secret, secretEncoding), keyId: row.keyId }
  } finally {
    bytes.fill(0)
  }
}

/** A portal shows each secret once: a file of several is not deleted with one of them. */
function assertOnlyKey(file: string, { keysInFile }: CsvKey): void {
  if (keysInFile === 1) return
  throw usage(
    `${file} has ${keysInFile} keys, and --delete-source would delete the secrets of all: import each without it, and then delete the file`,
  )
}

/** Nobody types a secret where it is shown. */
async function readBytes({ secret }: ImportOptions, file: string): Promise<Uint8Array> {
  const isTyped = secret === '-' && process.stdin.isTTY
  if (!isTyped) return readPrivateInput(file, sourceBytesMax)
  return (await askUnseen('The secret: ')) ?? new Uint8Array()
}

const askPassphrase = () => askUnseen('The passphrase of the key file: ')

function lines(report: ImportReport, file: string, left: Left): readonly string[] {
  const { version, state, custody, kid, fingerprints, isNew } = report
  const names = Object.entries(fingerprints)
  return [
    `${version} ${isNew ? 'is imported' : 'was imported already'}: ${state}, ${custody}, kid ${kid}`,
    ...names.map(([name, value]) => `  ${name.padEnd(16)} ${value}`),
    ...lengthWords(report),
    ...replacedWords(report),
    ...comparisonWords(report),
    ...leftBehindLines(report.orphans),
    ...unfinishedWords(version, state, report),
    ...sourceWords(file, left),
  ]
}

function lengthWords({ change }: ImportReport): readonly string[] {
  const equal = 'every MAC is the same (RFC 2104)'
  if (change === 'padded') return [`The secret was filled up with zeros for its vault: ${equal}`]
  if (change === 'hashed') return [`The secret was hashed for its vault, being long: ${equal}`]
  return []
}

function replacedWords({ replaced, nothingAfter }: ImportReport): readonly string[] {
  if (replaced === undefined || nothingAfter === undefined) return []
  return [`${replaced} is revoked: no signature by it can leave after ${instant(nothingAfter)}`]
}

function comparisonWords(report: ImportReport): readonly string[] {
  const { version, compared, registry, state, fingerprints } = report
  if (compared.length > 0) return [`Compared, and the same: ${compared.join(', ')}`]
  if (!registry || state !== 'created') return []
  const { system, url } = registry
  const seen = `${system}=${fingerprints[system]}`
  return [
    `Nobody has compared it: look for its ${system} fingerprint at ${url}, then \`chancery confirm ${version} --fingerprint ${seen}\``,
  ]
}

function sourceWords(file: string, left: Left): readonly string[] {
  if (file === '-') return []
  if (left === 'deleted') {
    return [`${file} is deleted: unlinked, not shredded; its bytes stay on the disk for a while`]
  }
  const why = left === 'kept' ? 'still has the key' : 'cannot be deleted, and still has the key'
  return [`${file} ${why}: delete it, and every copy of it`]
}

function document(report: ImportReport, left: Left): object {
  const { change, nothingAfter, activationError, registry: _, orphans, waitsFor, ...same } = report
  return {
    ...same,
    secret: change,
    replaced: same.replaced ?? null,
    nothingAfter: nothingAfter === undefined ? null : instant(nothingAfter),
    orphans: leftBehindDocument(orphans),
    sourceDeleted: left === 'deleted',
    waitsFor: notYetDocument(waitsFor),
    activation: activationError === undefined ? null : problemOf(activationError),
  }
}

function usage(message: string): ServiceError {
  return new ServiceError('usage', message)
}
