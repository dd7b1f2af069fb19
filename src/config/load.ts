import { dirname, resolve } from 'node:path'
import { type Complaints, readYaml } from './complaints.ts'
import type { Config, VaultRules } from './config.ts'
import { isRecord, resolvePaths } from './paths.ts'
import { isLoopback, type ListenAddress } from './schema.ts'
import { readText } from './text.ts'
import { readCallers, readGrants, readKeys, readPlain, readVaults } from './sections.ts'

/**
 * Reads and checks a configuration file; no network, no store.
 *
 * @throws {ServiceError} `config_invalid` with every complaint at once, each with its path and line.
 */
export function loadConfig<V>(file: string, rules: VaultRules<V>): Config<V> {
  const absolute = resolve(file)
  const { value, complaints } = readYaml(readText(absolute, file, remedy), file)
  const config = buildConfig(absolute, value, rules, complaints)
  complaints.assertNone()
  if (config === undefined) throw new TypeError('a configuration without complaints was not built')
  return config
}

const remedy = 'name a file with --config, or make one with `chancery init`'

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
  const { environment, allowSoftwareKeys, store, listen, audit } = readPlain(raw, complaints)
  // Undefined after a complaint of its own, which says enough.
  const vaults = readVaults(raw, rules, allowSoftwareKeys ?? true, complaints)
  const keys = readKeys(raw, complaints)
  const callers = readCallers(raw, complaints)
  const grants = readGrants(raw, keys, complaints)
  if (environment === undefined || !store || !listen || !audit) return undefined

  checkListeners(listen, complaints)
  const { drainDelay: drainDelayMs, ...listeners } = listen
  const sections = { vaults, keys, callers, grants }
  return { file, environment, store, audit, listen: { ...listeners, drainDelayMs }, ...sections }
}

/** Credentials travel over the sign listener: without TLS in front it stays on this host. */
function checkListeners(
  {
    sign,
    ops,
  }: { sign: { address: ListenAddress; behindProxy: boolean }; ops: { address: ListenAddress } },
  complaints: Complaints,
): void {
  if (!sign.behindProxy && !isLoopback(sign.address)) {
    const message = 'not a loopback address: put a TLS proxy in front and say behindProxy: true'
    complaints.add(['listen', 'sign', 'address'], message)
  }
  if (!isLoopback(ops.address)) {
    complaints.add(
      ['listen', 'ops', 'address'],
      'the ops listener has no credentials: keep it on loopback',
    )
  }
}
