import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { type Program, runCommand } from './program.ts'
import { existence, hs256, type SignatureSubject, signatureSubjects } from './subjects.ts'

const initialised = z.object({ apiKey: z.string() })

/** A directory of its own with a configuration, a vault, and a version of every key. */
export type Installation = AsyncDisposable & {
  readonly directory: string
  readonly configFile: string
  readonly authorization: string
}

/** What an application would do on its first day; the audit is as durable as everyone's. */
export async function install(program: Program): Promise<Installation> {
  const directory = await mkdtemp(join(tmpdir(), 'chancery-bench-'))
  const configFile = join(directory, 'chancery.yaml')
  const remove = () => rm(directory, { recursive: true, force: true })
  try {
    const { apiKey } = initialised.parse(await runCommand(program, configFile, ['init', directory]))
    await extend(configFile)
    await runCommand(program, configFile, ['rotate'])
    const authorization = `Bearer ${apiKey}`
    return { directory, configFile, authorization, [Symbol.asyncDispose]: remove }
  } catch (error) {
    await remove()
    throw error
  }
}

/** Free ports, our keys, and what `init`'s caller may do with them. */
async function extend(configFile: string): Promise<void> {
  const initial = await readFile(configFile, 'utf8')
  const [head = '', rest = ''] = initial.split('\nkeys:\n')
  const callers = rest.slice(rest.indexOf('callers:'), rest.indexOf('grants:'))
  const listen = head
    .replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:0')
    .replace('listen:', 'listen:\n  drainDelay: 1s')
  const keys = [...signatureSubjects.map(keyLine), bytesKeyLine, ungrantedKeyLine]
  const grants = [...signatureSubjects.map(grantLine), bytesGrantLine]
  const lines = [listen, 'keys:', ...keys, callers, 'grants:', ...grants, '']
  await writeFile(configFile, lines.join('\n'))
}

const bytesKeyLine = `  ${hs256.name}: { vault: local, alg: HS256, purpose: bytes }`
const ungrantedKeyLine = `  ${existence.ungrantedKey}: { vault: local, alg: EdDSA, purpose: bytes }`
const bytesGrantLine = `  - { caller: first-caller, key: ${hs256.name}, operations: [sign-message] }`

function keyLine({ name, algorithm, modulusBits }: SignatureSubject): string {
  const size = modulusBits === undefined ? '' : `modulusBits: ${modulusBits}, `
  const profile = '{ name: generic-jwt, issuer: https://bench.example }'
  return `  ${name}: { vault: local, alg: ${algorithm}, ${size}profile: ${profile} }`
}

function grantLine({ name }: SignatureSubject): string {
  return (
    `  - { caller: first-caller, key: ${name}, operations: [sign-claims], maxLifetime: 5m, ` +
    'claims: { sub: { prefix: "tenant:" } } }'
  )
}
