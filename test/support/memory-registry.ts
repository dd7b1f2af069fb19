import { ServiceError } from '../../src/errors.ts'
import {
  type RegisteredKey,
  type Registration,
  type Registry,
  registryFacts,
} from '../../src/registry/registry.ts'

export type RegistryFault = 'none' | 'down' | 'reply lost' | 'forgetful'

type Surroundings = {
  now(): number
  /** Before and after everything that is asked; throws where a process dies. */
  point(): void
  /** Why a key may not be withdrawn now. */
  forbids(kid: string): Promise<string | undefined>
  problem(words: string): void
}

/** An app of a registry, in memory: it errs as it is told, and tells what should not have been asked. */
export class MemoryRegistry implements Registry {
  readonly facts = registryFacts.embedded
  readonly maxAgeMs = 600_000
  /** By kid: since when. */
  readonly keys = new Map<string, number>()
  readonly lastUsedAt = new Map<string, number>()
  fault: RegistryFault = 'none'
  readonly #around: Surroundings

  constructor(around: Surroundings) {
    this.#around = around
  }

  async publish({ kid }: Registration): Promise<{ readonly verdict: 'done' }> {
    this.#reached()
    if (this.keys.has(kid)) return { verdict: 'done' }
    const { slots = Infinity } = this.facts
    if (this.keys.size >= slots) {
      this.#around.problem('published without a slot')
      throw new ServiceError('registry_refused', 'full')
    }
    if (this.fault === 'forgetful') throw new ServiceError('registry_unavailable', 'not listed')
    this.keys.set(kid, this.#around.now())
    this.#answered()
    return { verdict: 'done' }
  }

  async withdraw({ kid }: Registration): Promise<{ readonly verdict: 'done' }> {
    this.#reached()
    const forbidden = await this.#around.forbids(kid)
    if (forbidden !== undefined) this.#around.problem(`withdrawn, and ${forbidden}`)
    this.keys.delete(kid)
    this.#answered()
    return { verdict: 'done' }
  }

  readonly list = async (): Promise<readonly RegisteredKey[]> => {
    this.#reached()
    return [...this.keys.keys()].map((kid) => ({
      kid,
      fingerprint: undefined,
      lastUsedAt: this.lastUsedAt.get(kid),
    }))
  }

  readonly propagationMs = async (): Promise<number> => {
    this.#reached()
    return this.maxAgeMs
  }

  #reached(): void {
    this.#around.point()
    if (this.fault === 'down') throw new ServiceError('registry_unavailable', 'down')
  }

  #answered(): void {
    this.#around.point()
    if (this.fault === 'reply lost') throw new ServiceError('registry_unavailable', 'lost')
  }
}
