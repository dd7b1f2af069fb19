import type { KeyObject } from 'node:crypto'
import { ServiceError } from '../../src/errors.ts'
import type { FoundImport, ImportRequest, KeyImporter, Vault } from '../../src/signing/signer.ts'
import type { Point } from './key-maker.ts'
import { memoryKeyOf } from './memory-key.ts'

export type KeyTaker = {
  readonly importer: KeyImporter
  readonly vault: Vault
  /** Every key that was ever begun, with what it holds: nothing is deleted. */
  readonly taken: readonly Taken[]
}

export type Taken = { readonly request: ImportRequest; material: KeyObject | undefined }

/**
 * A vault of this process that takes keys in two calls, as a cloud does: first an empty key with its
 * intent, then the material. `point` is told before and after everything that reaches it, and may throw.
 */
export function keyTaker(point: Point = () => {}): KeyTaker {
  const taken: Taken[] = []
  const around = <T>(name: string, work: () => T): T => {
    point(`before ${name}`)
    const result = work()
    point(`after ${name}`)
    return result
  }
  const fill = (one: Taken, { material }: ImportRequest) =>
    around('fill', () => void (one.material = material))
  const importer: KeyImporter = {
    refusal: () => undefined,
    secretLimits: () => ({ bytesMin: 32, bytesMax: 64 }),
    import: async (request) => {
      const one: Taken = { request, material: undefined }
      around('create', () => taken.push(one))
      fill(one, request)
      return resourceOf(taken.indexOf(one))
    },
    find: async ({ intentId }) =>
      around('find', () => {
        const own = taken.filter(({ request }) => request.intentId === intentId)
        return own.map((one): FoundImport => {
          const resource = resourceOf(taken.indexOf(one))
          return { resource, fill: one.material ? undefined : async (asked) => fill(one, asked) }
        })
      }),
    settleMs: 0,
  }
  const vault: Vault = {
    open: async ({ resource, algorithm }) =>
      around('open', () => {
        const material = taken[Number(resource.slice('key-'.length))]?.material
        if (!material) throw new ServiceError('vault_key_unusable', 'The key has no material')
        const { signer } = memoryKeyOf(algorithm, material)
        return {
          custody: 'kms-imported',
          publicKey: async (signal) => around('publicKey', () => signer.publicKey(signal)),
          sign: async (...asked) => around('sign', () => signer.sign(...asked)),
        }
      }),
  }
  return { importer, vault, taken }
}

const resourceOf = (index: number): string => `key-${index}`
