import type { KeyObject } from 'node:crypto'
import type { DecidedStep } from '../rotation/facts.ts'
import type { Asked } from '../rotation/job.ts'
import type { RotationResult } from '../rotation/rotate.ts'
import type { SyncResult } from '../rotation/sync.ts'
import type { Rest } from '../rotation/tick.ts'
import type { CatalogueEffect, Ended } from '../service/catalogue.ts'
import type { AuditReport, ChainHead, FoundInput, SoughtInput } from '../service/audit.ts'
import type { Confirmed } from '../service/confirm.ts'
import type { Drift } from '../service/drift.ts'
import type { Expectation } from '../service/expectation.ts'
import type { Explanation } from '../service/explain.ts'
import type { Material } from '../service/import-material.ts'
import type { LeftBehind } from '../service/left-behind.ts'
import type { KeyListing, PublicForms, VersionListing } from '../service/list-keys.ts'
import type { Revocation, Revoked } from '../service/revoke.ts'
import type { SuspensionCommand, SuspensionResult } from '../service/suspend.ts'
import type { HumanTask } from '../service/tasks.ts'
import type { Config } from '../config/config.ts'
import type { ClockReading } from '../lib/clock-watch.ts'

/** What the commands are given: verbs, bound to a configuration by whoever composes the program. */
export interface Host {
  /** Everything that can be checked without a network. */
  checkConfig(file: string): Promise<Config<unknown>>
  configJsonSchema(): object
  /** Resolves when the service has stopped. */
  serve(file: string, onListening: (urls: ServiceUrls) => void): Promise<void>
  /** Not a job: it works, too, where no more of the configuration can be read than where the store is. */
  revoke(file: string, command: Revocation): Promise<Revoked>
  openJob(file: string, command: string): Promise<Job>
  initVault(file: string, vault: string): Promise<VaultFiles>
  /** @returns how many versions were sealed again. */
  rekeyVault(file: string, vault: string): Promise<number>
  /** Writes a first configuration, its files and its key; nothing when one of the files exists. */
  init(directory: string): Promise<InitResult>
  /** @returns the exit code. */
  demo(print: (line: string) => void, keep: boolean): Promise<number>
  /** The embedded app registry; resolves when it has stopped. */
  serveRegistry(file: string, onListening: (url: string) => void): Promise<void>
  /** @param mayBegin whether a database that is not there is begun. */
  openRegistry(file: string, mayBegin: boolean): Promise<RegistryDesk>
  newApiKey(): { readonly text: string; readonly id: string; readonly sha256: string }
}

/** What an operator does to the embedded registry's database. */
export interface RegistryDesk extends AsyncDisposable {
  /** @returns the app's id. */
  createApp(organization: string, name: string): Promise<string>
  listApps(organization: string | undefined): Promise<readonly RegistryApp[]>
  /** @returns the token's text, which is stored nowhere. */
  createToken(organization: string, role: RegistryRole): Promise<string>
  listTokens(organization: string | undefined): Promise<readonly RegistryToken[]>
  revokeToken(
    id: string,
  ): Promise<Omit<RegistryToken, 'createdAt'> & { readonly revokedAt: number }>
}

export const registryRoles = ['admin', 'reader'] as const
export type RegistryRole = (typeof registryRoles)[number]

export type RegistryApp = {
  readonly id: string
  readonly organization: string
  readonly keys: number
  readonly createdAt: number
}

export type RegistryToken = {
  readonly id: string
  readonly organization: string
  readonly role: RegistryRole
  readonly createdAt: number
  readonly revokedAt: number | undefined
}

export type ServiceUrls = { readonly sign: string; readonly ops: string }

export type VaultFiles = { readonly directory: string; readonly masterKeyFile: string }

export type InitResult = {
  readonly configFile: string
  readonly headerFile: string
  readonly apiKey: string
  readonly version: string
}

/** One run of a command on the store. */
export interface Job extends AsyncDisposable {
  listKeys(): Promise<readonly KeyListing[]>
  publicForms(key: string): Promise<PublicForms>
  /** HCL of the versions that verifiers see. */
  terraform(key: string): Promise<string>
  /** Keys in a vault that are no version: of one key, or of all. */
  orphans(key?: string): Promise<readonly LeftBehind[]>
  /** Catalogue → versions. */
  catalogued(): Promise<Catalogued>
  /** What the clocks of registries and vaults have said of ours since the job was opened. */
  clocks(): readonly ClockReading[]
  /** What a file would do in the place of a catalogue. */
  checkCatalogue(file: string): Promise<CatalogueCheck>
  /** Asks the registries of some keys, or of all; a key without one is left out. */
  sync(key?: string): Promise<readonly SyncedKey[]>
  /** Has the vault of a key prove its versions again. @returns why it does not; never rejects for that. */
  vaultFailures(key: string): Promise<readonly unknown[]>
  /** @param request.body as it would be sent. */
  explain(request: {
    readonly caller: string
    readonly key: string
    readonly body: unknown
  }): Promise<Explanation>
  plan(keys: readonly string[], asked: RotationWish): Promise<readonly Planned[]>
  rotate(keys: readonly string[], asked: RotationWish): Promise<Rotated>
  import(wish: ImportWish): Promise<ImportReport>
  confirmFingerprint(word: {
    readonly version: string
    readonly expectation: Expectation
  }): Promise<ConfirmReport>
  confirmDeleted(word: { readonly version: string }): Promise<ConfirmReport>
  tasks(): Promise<readonly HumanTask[]>
  suspend(command: SuspensionCommand): Promise<SuspensionResult>
  resume(command: SuspensionCommand): Promise<SuspensionResult>
  verifyAudit(
    checkpoint: readonly ChainHead[],
    progress: (records: number) => void,
  ): Promise<AuditReport>
  findInAudit(inputs: readonly SoughtInput[]): Promise<readonly FoundInput[]>
}

/** What became of the catalogues. Versions are named `key@n`. */
export type Catalogued = Ended & {
  readonly synced: SyncResult
  /** Keys that the configuration does not name. */
  readonly ignored: readonly string[]
  /** Versions that sign or stand by, and that Terraform no longer lets. */
  readonly cutOff: readonly CutOff[]
}

export type CutOff = {
  readonly key: string
  /** `key@n`. */
  readonly version: string
  /** Else it only stands by to. */
  readonly isSigning: boolean
}
export type CatalogueCheck = CatalogueEffect

/** A run over keys, after what their catalogues say; `busy` where another job had the lease for either. */
export type Rotated = { readonly catalogued: Catalogued; readonly rotation: RotationResult }

/** How a rotation was asked for; whether keys were named is seen from them. */
export type RotationWish = Pick<Asked, 'now' | 'isForced'>

/** A key that somebody else made, as it was read from a file. */
export type ImportWish = {
  readonly key: string
  /** A private key, or a secret. */
  readonly given: KeyObject
  readonly expectations: readonly Expectation[]
  readonly keyId: string | undefined
  readonly isRegenerated: boolean
}

export type ImportReport = {
  readonly version: string
  readonly state: string
  readonly custody: string
  readonly kid: string
  readonly fingerprints: VersionListing['fingerprints']
  /** Where a human has to compare the key, and to delete the one before it. */
  readonly registry: { readonly system: 'github' | 'icr'; readonly url: string } | undefined
  /** What the vault's rules for the length of a secret have made of it. */
  readonly change: Material['change']
  /** The formats in which it was compared. */
  readonly compared: readonly string[]
  /** False when an earlier run had already recorded it. */
  readonly isNew: boolean
  /** The version that was revoked in the same moment, and when nothing of it can leave any more. */
  readonly replaced: string | undefined
  readonly nothingAfter: number | undefined
  readonly orphans: readonly LeftBehind[]
  /** Recorded, and what kept it from signing. */
  readonly activationError: unknown
  /** What a version that does not sign yet was left to. */
  readonly waitsFor: CameTo
}

/** @param activationError as of an import, like `waitsFor`. */
export type ConfirmReport = Confirmed & {
  readonly activationError: unknown
  readonly waitsFor: CameTo
}

/** Where a rotation after a command has left its key; `busy` while another job is at work, undefined where none was tried. */
export type CameTo = Rest | 'busy' | undefined

/** A key that has a registry, and how the two agree; or why that cannot be said. */
export type SyncedKey = {
  readonly key: string
  readonly drift?: Drift
  readonly error?: unknown
}

/** What is due for a key; or why that cannot be said. */
export type Planned = { readonly key: string } & (
  | { readonly step: PlannedStep }
  | { readonly error: unknown }
)

export type PlannedStep =
  | DecidedStep
  /** What comes before the rotation itself: a catalogue says so. */
  | { readonly kind: 'revoke'; readonly version: Numbered }
  | { readonly kind: 'adopt'; readonly version: Numbered; readonly generation: string }

type Numbered = { readonly key: string; readonly n: number }
