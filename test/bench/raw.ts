import type { KeyObject } from 'node:crypto'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { z } from 'zod'
import { keyPairFor, type SignatureSubject } from './subjects.ts'

/** Hides that one thread is up before the other. */
const warmUpMs = 500

/** What Node itself can sign on these cores: a thread on each, in a loop. */
export class RawLoop {
  readonly #keys = new Map<string, KeyObject>()

  /** @returns signatures per second, over all cores. */
  async run(subject: SignatureSubject, messageBytes: number, seconds: number): Promise<number> {
    const workerData = {
      key: this.#keyFor(subject),
      hash: subject.algorithm === 'EdDSA' ? null : 'sha256',
      messageBytes,
      warmUpMs,
      measureMs: seconds * 1_000,
    }
    const threads = Array.from({ length: availableParallelism() }, async () => {
      const worker = new Worker(new URL('./raw-loop.ts', import.meta.url), { workerData })
      const [perSecond]: unknown[] = await once(worker, 'message')
      return z.number().parse(perSecond)
    })
    return (await Promise.all(threads)).reduce((sum, perSecond) => sum + perSecond, 0)
  }

  #keyFor({ name, algorithm, modulusBits }: SignatureSubject): KeyObject {
    const key = this.#keys.get(name) ?? keyPairFor(algorithm, modulusBits).privateKey
    this.#keys.set(name, key)
    return key
  }
}
