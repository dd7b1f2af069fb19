import { fingerprints } from '../signing/fingerprint.ts'
import { type ManualSystem, type Registration, type Registry, registryFacts } from './registry.ts'

/** Where keys are made, shown and deleted by hand: it cannot be listed, so drift is not known. */
export function manualRegistry({
  system,
  url,
}: {
  readonly system: ManualSystem
  readonly url: string
}): Registry {
  const pending = ({ publicKey }: Registration, verb: string) => {
    const steps = [
      `Open ${url}`,
      `${verb} the key with the fingerprint ${fingerprints(publicKey)[system]}`,
    ]
    return { verdict: 'pending', task: { steps, url } } as const
  }
  return {
    facts: registryFacts[system],
    list: undefined,
    propagationMs: undefined,
    publish: async (registration) => pending(registration, 'See that it lists'),
    withdraw: async (registration) => pending(registration, 'Delete'),
  }
}
