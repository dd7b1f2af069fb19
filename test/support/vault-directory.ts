import { type KeyObject, createPublicKey } from 'node:crypto'
import { chmod, chown, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { LocalConfig } from '../../providers/local/config.ts'
import { createMasterKey, newestOf, readMasterKeys } from '../../providers/local/master-key.ts'
import { seal } from '../../providers/local/seal.ts'
import { resourceOf, sealedBytes, type SealedHeader } from '../../providers/local/sealed-file.ts'
import { openLocalVault } from '../../providers/local/signer.ts'
import type { Bytes } from '../../src/lib/bytes.ts'
import { writeFileDurably } from '../../src/lib/file.ts'
import type { AlgorithmName } from '../../src/signing/algorithms.ts'
import { spkiOf } from '../../src/signing/public-key.ts'
import type { Signer } from '../../src/signing/signer.ts'

export type VaultDirectory = LocalConfig & {
  /** Holds the vault and its master key; its name must stand in no message that a caller may see. */
  readonly root: string
  readonly remove: () => Promise<void>
}

export const someIntent = '01JD0000000000000000000000'

/** A local vault as `vault init` leaves it: empty, with a master key. */
export async function vaultDirectory(): Promise<VaultDirectory> {
  const root = await mkdtemp(join(tmpdir(), 'chancery-canary-path-'))
  const directory = join(root, 'vault')
  const masterKeyFile = join(root, 'master.key')
  await mkdir(directory, { mode: 0o700 })
  await createMasterKey(masterKeyFile)
  const remove = () => rm(root, { recursive: true })
  return { provider: 'local', directory, masterKeyFile, root, remove }
}

/** As `vaultDirectory`, gone when the test is over. */
export async function vaultOfThisTest(): Promise<VaultDirectory> {
  const home = await vaultDirectory()
  onTestFinished(home.remove)
  return home
}

export type KeyToSeal = {
  readonly name: string
  readonly algorithm: AlgorithmName
  /** A private key, or an HMAC secret. */
  readonly key: KeyObject
  readonly intent?: string
}

/** As an import would: the key was made elsewhere, and the test knows it. */
export async function sealKey(config: LocalConfig, wanted: KeyToSeal): Promise<string> {
  const { name, algorithm, key, intent = someIntent } = wanted
  const header = { version: name, algorithm, intent, ...publicPart(key) }
  return sealMaterial(config, header, materialOf(key))
}

/** Seals whatever it is given, fitting or not. */
export async function sealMaterial(
  config: LocalConfig,
  header: SealedHeader,
  material: Bytes,
): Promise<string> {
  using keys = await readMasterKeys(config.masterKeyFile)
  const resource = resourceOf(header.version, header.intent)
  const file = seal(header, material, newestOf(keys))
  await writeFileDurably(join(config.directory, resource), sealedBytes(file), 0o600)
  return resource
}

/** PKCS#8 DER, or the secret itself: what lies in the file, sealed. */
export function materialOf(key: KeyObject): Bytes {
  if (key.type === 'secret') return key.export()
  return key.export({ type: 'pkcs8', format: 'der' })
}

/** In a process that has just started. */
export async function openVersion(
  config: LocalConfig,
  resource: string,
  algorithm: AlgorithmName,
): Promise<Signer> {
  const vault = await openLocalVault(config, { concurrency: 1 })
  return vault.open({ resource, algorithm }, new AbortController().signal)
}

export async function filesIn(directory: string): Promise<readonly string[]> {
  return (await readdir(directory)).toSorted()
}

const nobody = 65_534

/** Root may write anywhere. Hands the vault to another user, and does the work as that one. */
export async function withoutRoot<T>(home: VaultDirectory, work: () => Promise<T>): Promise<T> {
  if (process.geteuid?.() !== 0) return work()
  for (const path of [home.root, home.directory, home.masterKeyFile]) {
    await chown(path, nobody, nobody)
  }
  process.seteuid?.(nobody)
  try {
    return await work()
  } finally {
    process.seteuid?.(0)
  }
}

/** Runs the work while the directory has another mode. */
export async function withMode<T>(path: string, mode: number, work: () => Promise<T>): Promise<T> {
  await chmod(path, mode)
  try {
    return await work()
  } finally {
    await chmod(path, 0o700)
  }
}

function publicPart(key: KeyObject): Pick<SealedHeader, 'spki'> {
  return key.type === 'secret' ? {} : { spki: spkiOf(createPublicKey(key)) }
}
