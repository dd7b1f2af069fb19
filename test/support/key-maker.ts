import { generateKeyPairSync, generateKeySync, type KeyObject } from 'node:crypto'
import type { AlgorithmName } from '../../src/signing/algorithms.ts'
import type { GenerateRequest, GoOn, KeyGenerator, Vault } from '../../src/signing/signer.ts'
import { memoryKeyOf } from './memory-key.ts'

/** Nobody minds how long a search takes. */
export const unhurried: GoOn = async () => {}

/** Every point at which a job may die, or lose a reply. */
export type Point = (name: string) => void

export type KeyMaker = {
  readonly generator: KeyGenerator
  readonly vault: Vault
  /** Everything that was ever made, as the vault's owner sees it: nothing is deleted. */
  readonly made: readonly GenerateRequest[]
}

/**
 * A vault of this process that makes real keys, each tagged with its intent. `point` is told before
 * and after everything that reaches it, and may throw there.
 *
 * @param remembers false for a vault whose search by tag finds nothing, as just after a crash.
 */
export function keyMaker(point: Point = () => {}, remembers: () => boolean = () => true): KeyMaker {
  const made: GenerateRequest[] = []
  const keys = new Map<string, KeyObject>()
  const around = <T>(name: string, work: () => T): T => {
    point(`before ${name}`)
    const result = work()
    point(`after ${name}`)
    return result
  }
  const generator: KeyGenerator = {
    generate: async (request) =>
      around('generate', () => {
        const resource = `${request.name}-${made.length}`
        keys.set(resource, newKey(request.algorithm))
        made.push(request)
        return resource
      }),
    find: async ({ intentId }) =>
      around('find', () => {
        const named = made.flatMap(({ intentId: of, name }, i) =>
          of === intentId ? [`${name}-${i}`] : [],
        )
        return remembers() ? named : []
      }),
    settleMs: 0,
  }
  const vault: Vault = {
    open: async ({ resource, algorithm }) =>
      around('open', () => {
        const key = keys.get(resource)
        if (!key) throw new TypeError(`no key ${resource}`)
        const { signer } = memoryKeyOf(algorithm, key)
        return {
          custody: 'software',
          publicKey: async (signal) => around('publicKey', () => signer.publicKey(signal)),
          sign: async (...asked) => around('sign', () => signer.sign(...asked)),
        }
      }),
  }
  return { generator, vault, made }
}

function newKey(name: AlgorithmName): KeyObject {
  if (name.startsWith('HS')) return generateKeySync('hmac', { length: 512 })
  if (name === 'RS256') return generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
}
