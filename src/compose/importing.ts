import { loadImporter } from '../../providers/importers.ts'
import type { CameTo, ImportReport, ImportWish } from '../cli/host.ts'
import { ServiceError } from '../errors.ts'
import type { Key } from '../keys/key.ts'
import { type KeyVersion, versionName } from '../keys/version.ts'
import type { ClockWatch } from '../lib/clock-watch.ts'
import { ulidSource } from '../lib/ulid.ts'
import { importKey, type Imported } from '../rotation/import.ts'
import { checkMaterial } from '../service/import-material.ts'
import { leftBehind } from '../service/left-behind.ts'
import { windowEnd } from '../service/revoke.ts'
import { fingerprints } from '../signing/fingerprint.ts'
import type { PublicKey } from '../signing/public-key.ts'
import type { KeyImporter } from '../signing/signer.ts'
import type { LeaseHolder } from '../store/lease.ts'
import type { Store } from '../store/store.ts'
import { findVersion } from '../store/versions.ts'
import { currentActor } from './actor.ts'
import { clock } from './foundation.ts'
import { forCommands, guardVaults } from './vault-guards.ts'
import { openVaults, type ServiceConfig, surroundingsFor, type VaultConfig } from './vaults.ts'

/** The one place that composes an importer: only the `import` command gets here. */

export type Importing = {
  readonly config: ServiceConfig
  readonly store: Store
  readonly holder: LeaseHolder
  /** Told what the clock of the key's vault says. */
  readonly clocks: ClockWatch
  /** Lets a version sign whose publication is known, as the job would. Never rejects. */
  readonly rotate: (key: string) => Promise<Activation>
}

/** Where a key has come to, or what kept it from going on. */
export type Activation = { readonly cameTo: CameTo; readonly error: unknown }

/** @throws {ServiceError} `refused`, `vault_*`, `store_unavailable`. */
export async function importInto(
  { config, store, holder, clocks, rotate }: Importing,
  wish: ImportWish,
): Promise<ImportReport> {
  const key = importedKey(config, wish)
  const vault = new Map([...config.vaults].filter(([name]) => name === key.vault))
  const importer = await openImporter(key, vault, config.environment)
  const checked = checkMaterial(key, wish.given, wish.expectations, importer)
  const opened = await openVaults(vault, 'operator', clocks)
  const { vaults } = guardVaults(opened, vault, forCommands)
  const deps = {
    store,
    vaultOf: () => present(vaults.get(key.vault), key),
    importerOf: () => importer,
    clock,
    clocks,
    newId: ulidSource(),
    actor: currentActor(),
  }
  const compared = wish.expectations.map(({ name }) => name)
  const imported = await importKey(
    deps,
    {
      key,
      material: checked.material,
      identity: checked.identity,
      keyId: wish.keyId,
      isRegenerated: wish.isRegenerated,
      compared: compared.length > 0 ? `${compared.join(', ')} fingerprint compared` : undefined,
    },
    holder,
  )
  const nothingAfter = imported.replaced ? await windowEnd({ ...deps, store }) : undefined
  const activation = mayActivate(key, imported) ? await rotate(key.name) : nothingSaid
  const version = await readBack(store, imported.version)
  return {
    ...reportOf(key, version, checked.publicKey),
    change: checked.change,
    compared,
    isNew: imported.isNew,
    replaced: imported.replaced && versionName(key.name, imported.replaced.n),
    nothingAfter,
    orphans: await leftBehind(store, key.name),
    activationError: activation.error,
    waitsFor: version.state === 'active' ? undefined : activation.cameTo,
  }
}

function importedKey(
  { keys }: ServiceConfig,
  { key: name, keyId, isRegenerated }: ImportWish,
): Key {
  const key = keys.get(name)
  if (!key) throw refusal(`The configuration has no key ${name}: name one of keys`)
  if (key.source !== 'imported') {
    throw refusal(
      `${name} makes its own versions: only keys with \`source: imported\` take others’`,
    )
  }
  const namesVersions = key.profile?.name === 'api-key-token'
  if (namesVersions && keyId === undefined) {
    throw new ServiceError('usage', `${name} needs --key-id: its tokens name the portal’s key id`)
  }
  if (!namesVersions && keyId !== undefined) {
    const remedy =
      'leave --key-id away, and name a file of the secret alone with --secret, no --csv'
    throw new ServiceError('usage', `${name} has no key ids: ${remedy}`)
  }
  if (!namesVersions && isRegenerated) {
    const remedy = 'import the next one without --regenerated'
    throw new ServiceError('usage', `${name} has no key ids, whose secret may change: ${remedy}`)
  }
  return key
}

async function openImporter(
  key: Key,
  vaults: ReadonlyMap<string, VaultConfig>,
  keysOf: string,
): Promise<KeyImporter> {
  const config = present(vaults.get(key.vault), key)
  switch (config.provider) {
    case 'local': {
      const open = await loadImporter.local()
      return open(config)
    }
    case 'aws-kms': {
      const open = await loadImporter['aws-kms']()
      return open(config, { ...surroundingsFor('operator'), keysOf })
    }
    case 'azure-key-vault': {
      const open = await loadImporter['azure-key-vault']()
      return open(config, surroundingsFor('operator'))
    }
  }
}

/** Where a program has to be told, or a human has not compared, the next `rotate` or `confirm` goes on. */
function mayActivate({ registry }: Key, { version }: Imported): boolean {
  if (registry?.kind === 'app') return false
  return registry ? version.state === 'published' : version.state === 'created'
}

const nothingSaid: Activation = { cameTo: undefined, error: undefined }

async function readBack({ connection }: Store, { key, n }: KeyVersion): Promise<KeyVersion> {
  const version = await findVersion(connection, key, n)
  if (version) return version
  throw new TypeError(`${versionName(key, n)} was recorded and is not there`)
}

function reportOf(
  { name, registry }: Key,
  { n, state, custody, kid }: KeyVersion,
  publicKey: PublicKey | undefined,
) {
  return {
    version: versionName(name, n),
    state,
    custody,
    kid,
    fingerprints: publicKey ? fingerprints(publicKey) : {},
    registry: registry?.kind === 'manual' ? registry : undefined,
  }
}

function present<T>(found: T | undefined, { vault }: Key): T {
  if (found !== undefined) return found
  throw new TypeError(`vault ${vault} passed the configuration's check and is not open`)
}

function refusal(message: string): ServiceError {
  return new ServiceError('refused', message)
}
