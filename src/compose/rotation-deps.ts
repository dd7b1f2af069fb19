import { loadGenerator } from '../../providers/generators.ts'
import type { RotationWish } from '../cli/host.ts'
import type { Catalogues } from '../keys/catalogue.ts'
import type { ClockWatch } from '../lib/clock-watch.ts'
import { ulidSource } from '../lib/ulid.ts'
import type { Asked, DecisionDeps, RotationDeps } from '../rotation/job.ts'
import type { KeyGenerator } from '../signing/signer.ts'
import type { Store } from '../store/store.ts'
import { currentActor } from './actor.ts'
import { generationsOf } from './catalogues.ts'
import { openDisabler } from './disablers.ts'
import { clock } from './foundation.ts'
import { registriesOf } from './registries.ts'
import { forCommands, guardVaults } from './vault-guards.ts'
import { openVaults, type ServiceConfig, surroundingsFor, type VaultConfig } from './vaults.ts'

/** What a rotation decides from, and what it asks. */

export type Rotating = {
  readonly config: ServiceConfig
  readonly store: Store
  /** Told what the clocks of registries and vaults say. */
  readonly clocks: ClockWatch
}

export function askedFor(names: readonly string[], wish: RotationWish): Asked {
  return { ...wish, isNamed: names.length > 0 }
}

/** @param catalogues read once for all that a command does: Terraform may write them meanwhile. */
export function decisionDeps(
  { config, store, clocks }: Rotating,
  asked: Asked,
  catalogues: Catalogues,
): DecisionDeps {
  return {
    store,
    policyOf: ({ name }) => configured(config.rotations.get(name), name),
    registryOf: registriesOf(config, clocks),
    provisionedOf: (key) => generationsOf(catalogues, key),
    clock,
    clocks,
    asked,
  }
}

/** @throws {ServiceError} `config_invalid`, naming the vault that cannot be used. */
export async function rotationDeps(
  parts: Rotating,
  asked: Asked,
  catalogues: Catalogues,
): Promise<RotationDeps> {
  const { config, clocks } = parts
  const opened = await openVaults(config.vaults, 'operator', clocks)
  const { vaults } = guardVaults(opened, config.vaults, forCommands)
  const generators = await openGenerators(config)
  return {
    ...decisionDeps(parts, asked, catalogues),
    vaultOf: ({ vault }) => configured(vaults.get(vault), vault),
    generatorOf: ({ vault }) => configured(generators.get(vault), vault),
    disablerOf: (vault) => openDisabler(config, vault),
    async hearVaultOf({ vault, resource, algorithm }, signal) {
      if (config.vaults.get(vault)?.provider === 'local') return
      await vaults
        .get(vault)
        ?.open({ resource, algorithm }, signal)
        .catch(() => {}) // whether it may sign is not what is asked here
    },
    newId: ulidSource(),
    actor: currentActor(),
  }
}

async function openGenerators({
  vaults,
  environment,
}: ServiceConfig): Promise<ReadonlyMap<string, KeyGenerator>> {
  const opened = [...vaults].map(async ([name, vault]) => {
    return [name, await openGenerator(vault, environment)] as const
  })
  return new Map(await Promise.all(opened))
}

async function openGenerator(config: VaultConfig, keysOf: string): Promise<KeyGenerator> {
  switch (config.provider) {
    case 'local': {
      const open = await loadGenerator.local()
      return open(config)
    }
    case 'aws-kms': {
      const open = await loadGenerator['aws-kms']()
      return open(config, { ...surroundingsFor('operator'), keysOf })
    }
    case 'azure-key-vault': {
      const open = await loadGenerator['azure-key-vault']()
      return open(config, surroundingsFor('operator'))
    }
  }
}

function configured<T>(found: T | undefined, name: string): T {
  if (found !== undefined) return found
  throw new TypeError(`${name} passed the configuration's check and is not there`)
}
