import { createApiKey } from '../auth/api-key.ts'
import type { Host } from '../cli/host.ts'
import { loadConfig } from '../config/load.ts'
import { configJsonSchema } from '../config/schema.ts'
import { ServiceError } from '../errors.ts'
import { encodeBytes } from '../lib/bytes.ts'
import { type VaultConfig, vaultRules } from './vaults.ts'

/** The program, composed: each verb loads what it needs, so `serve` never loads a job's parts. */
export const host: Host = {
  checkConfig: async (file) => (await import('./check.ts')).checkConfig(file),
  configJsonSchema: () => configJsonSchema(vaultRules.schema),
  async serve(file, onListening) {
    const [{ startService }, { stderrLogger }] = await Promise.all([
      import('./serve.ts'),
      import('../lib/log.ts'),
    ])
    const log = stderrLogger()
    const service = await startService(file, log)
    const stopped = stopSignal() // before anybody can know that there is something to stop
    onListening(service.urls)
    const died = service.writerEnded.then(() => 'writer died' as const)
    const reason = await Promise.race([stopped, died])
    await service.stop()
    log.flush()
    if (reason === 'writer died') throw writerDied()
  },
  revoke: async (file, asked) => (await import('./revocation.ts')).revokeIn(file, asked),
  openJob: async (file, command) => (await import('./job.ts')).openJob(file, command),
  async initVault(file, name) {
    const vault = localVaultNamed(file, name)
    const { initLocalVault } = await administration(vault)
    await initLocalVault(vault)
    return vault
  },
  async rekeyVault(file, name) {
    const vault = localVaultNamed(file, name)
    const { rekey } = await administration(vault)
    return rekey(vault)
  },
  init: async (directory) => (await import('./init.ts')).init(directory),
  demo: async (print, keep) => (await import('../demo/demo.ts')).runDemo(print, keep),
  async serveRegistry(file, onListening) {
    const [{ startRegistry }, { stderrLogger }] = await Promise.all([
      import('./registry.ts'),
      import('../lib/log.ts'),
    ])
    const log = stderrLogger()
    const registry = await startRegistry(file, log)
    const stopped = stopSignal()
    onListening(registry.url)
    await stopped
    await registry.stop()
    log.flush()
  },
  openRegistry: async (file, mayBegin) =>
    (await import('./registry-desk.ts')).openRegistryDesk(file, mayBegin),
  newApiKey() {
    const { text, record } = createApiKey()
    return { text, id: record.id, sha256: encodeBytes(record.sha256, 'hex') }
  },
}

function writerDied(): ServiceError {
  const message =
    'The audit writer stopped, so nothing can be signed: the log says why; start again'
  return new ServiceError('store_unavailable', message)
}

async function administration({ provider }: LocalVaultConfig) {
  const { loadAdministration } = await import('../../providers/administration.ts')
  return loadAdministration[provider]()
}

type LocalVaultConfig = Extract<VaultConfig, { provider: 'local' }>

function localVaultNamed(file: string, name: string): LocalVaultConfig {
  const vault = loadConfig(file, vaultRules).vaults.get(name)
  if (vault?.provider === 'local') return vault
  if (vault) {
    const message = `${name} is a vault of ${vault.provider}, which has no files here: nothing to do`
    throw new ServiceError('refused', message)
  }
  throw new ServiceError('refused', `The configuration has no vault ${name}: name one of vaults`)
}

function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGTERM', () => resolve())
    process.once('SIGINT', () => resolve())
  })
}
