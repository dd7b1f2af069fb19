import { checkContentfulKeys } from './contentful-keys.ts'
import { dirname } from 'node:path'
import { type Complaints, readYaml } from './complaints.ts'
import type { Key } from '../keys/key.ts'
import type { Config, ConfiguredCaller, TlsFiles, VaultRules } from './config.ts'
import { isRecord, resolvePaths } from './paths.ts'
import { warnOfIdle } from './idle.ts'
import { isLoopback, type ListenAddress } from './schema.ts'
import {
  readCallers,
  readGrants,
  readKeys,
  readPlain,
  readRegistries,
  readRotations,
  readVaults,
} from './sections.ts'
import { type ConfigSource, readConfigSource } from './text.ts'

/**
 * Reads and checks a configuration file; no network, no store.
 *
 * @throws {ServiceError} `config_invalid` with every complaint at once, each with its path and line.
 */
export function loadConfig<V>(file: string, rules: VaultRules<V>): Config<V> {
  return configOf(readConfigSource(file), rules)
}

/** As `loadConfig`, of a file that has been read. */
export function configOf<V>(
  { file, absolute, text }: ConfigSource,
  rules: VaultRules<V>,
): Config<V> {
  const { value, complaints } = readYaml(text, file)
  const config = buildConfig(absolute, value, rules, complaints)
  complaints.assertNone()
  if (config === undefined) throw new TypeError('a configuration without complaints was not built')
  return config
}

function buildConfig<V>(
  file: string,
  value: unknown,
  rules: VaultRules<V>,
  complaints: Complaints,
): Config<V> | undefined {
  if (!isRecord(value)) {
    complaints.add([], 'not a mapping of sections: begin with environment, store and audit')
    return undefined
  }
  const raw = resolvePaths(value, dirname(file))
  const {
    environment,
    allowSoftwareKeys,
    store,
    listen,
    audit,
    catalogues = [],
  } = readPlain(raw, complaints)
  // Undefined after a complaint of its own, which says enough.
  const vaults = readVaults(raw, rules, allowSoftwareKeys ?? true, complaints)
  const registries = readRegistries(raw, complaints)
  const signsNot = (name: string) => {
    const vault = vaults.get(name)
    return vault === undefined ? [] : rules.signsNot(vault)
  }
  const keys = readKeys(raw, signsNot, complaints)
  checkContentfulKeys(keys, registries, complaints)
  const callers = readCallers(raw, complaints)
  const signsDigests = ({ vault, algorithm }: Key) => {
    const found = vaults.get(vault)
    return found === undefined || rules.signsDigests(found, algorithm)
  }
  const grants = readGrants(raw, { keys, callers, signsDigests }, complaints)
  const rotations = readRotations(raw, keys, grants, complaints)
  warnOfIdle({ keys, callers, grants }, complaints)
  if (environment === undefined || !store || !listen || !audit) return undefined

  checkListeners(listen, callers, complaints)
  const { drainDelay: drainDelayMs, ops, sign } = listen
  const listeners = { sign: { tls: undefined, ...sign }, ops, drainDelayMs }
  const sections = {
    vaults,
    catalogues,
    registries,
    keys,
    rotations,
    callers,
    grants,
    warnings: complaints.warnings,
  }
  return { file, environment, store, audit, listen: listeners, ...sections }
}

type Listen = {
  readonly sign: {
    readonly address: ListenAddress
    readonly behindProxy: boolean
    readonly tls?: TlsFiles | undefined
  }
  readonly ops: { readonly address: ListenAddress }
}

/** Credentials travel over the sign listener: without TLS, here or in front, it stays on this host. */
function checkListeners(
  { sign, ops }: Listen,
  callers: readonly ConfiguredCaller[],
  complaints: Complaints,
): void {
  const { address, behindProxy, tls } = sign
  if (!behindProxy && !tls && !isLoopback(address)) {
    const message =
      'not a loopback address: configure tls, or put a TLS proxy in front and say behindProxy: true'
    complaints.add(['listen', 'sign', 'address'], message)
  }
  if (behindProxy && tls) {
    complaints.add(['listen', 'sign', 'behindProxy'], 'tls, or a proxy that ends it: not both')
  }
  if (!isLoopback(ops.address)) {
    complaints.add(
      ['listen', 'ops', 'address'],
      'the ops listener has no credentials: keep it on loopback',
    )
  }
  for (const { name } of callers.filter(({ certificateUri }) => certificateUri !== undefined)) {
    if (tls?.clientCaFile !== undefined) continue
    const message =
      'nobody can show a certificate here: configure listen.sign.tls with a clientCaFile'
    complaints.add(['callers', name, 'certificate'], message)
  }
}
