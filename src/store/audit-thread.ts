import { Worker } from 'node:worker_threads'
import { ServiceError } from '../errors.ts'
import type { AuditBatch, AuditBatchResult } from '../audit/log.ts'
import type { Snapshot, VersionSuspension } from './audit-store.ts'
import type { WriterIdentity } from './chain-writer.ts'
import type { Backlog } from './backlog.ts'
import type { Heartbeat } from './heartbeats.ts'

/** Both ends are ours, in one process: what crosses is typed, not parsed. */
export type AuditRequest =
  | { readonly type: 'commit'; readonly id: number; readonly batch: AuditBatch }
  | { readonly type: 'snapshot'; readonly id: number; readonly revision: number | undefined }
  | { readonly type: 'beat'; readonly id: number; readonly heartbeat: Heartbeat }
  | { readonly type: 'suspend'; readonly id: number; readonly suspension: VersionSuspension }
  | { readonly type: 'backlog'; readonly id: number }
  | { readonly type: 'close' }

export type AuditReply =
  | { readonly type: 'commit'; readonly id: number; readonly result: AuditBatchResult }
  | { readonly type: 'snapshot'; readonly id: number; readonly snapshot: Snapshot | undefined }
  | { readonly type: 'beat'; readonly id: number }
  | { readonly type: 'suspend'; readonly id: number; readonly isNew: boolean }
  | { readonly type: 'backlog'; readonly id: number; readonly backlog: Backlog }
  /** Only text crosses: a class would arrive without its type. */
  | { readonly type: 'failure'; readonly id: number; readonly message: string }

type Pending = {
  readonly answer: (reply: AuditReply) => void
  readonly reject: (error: unknown) => void
}

/** The main thread's end of the audit worker. */
export class AuditThread implements AsyncDisposable {
  readonly #worker: Worker
  readonly #pending = new Map<number, Pending>()
  readonly #ended: Promise<void>
  #lastId = 0
  #dead = false

  constructor(file: string, identity: WriterIdentity) {
    this.#worker = new Worker(workerUrl(), { workerData: { file, identity } })
    this.#worker.on('message', (reply: AuditReply) => this.#settle(reply))
    this.#ended = new Promise((resolve) => {
      const end = (cause?: unknown) => {
        this.#fail(cause)
        resolve()
      }
      this.#worker.once('error', end)
      this.#worker.once('exit', end)
    })
  }

  /** Settles when the thread is gone, asked to or not. */
  get ended(): Promise<void> {
    return this.#ended
  }

  /** A dead writer is cured by a restart only: readiness says so. */
  get isAlive(): boolean {
    return !this.#dead
  }

  /** Stores a batch durably. @throws {ServiceError} `store_unavailable`. */
  async commit(batch: AuditBatch): Promise<AuditBatchResult> {
    const reply = await this.#ask((id) => ({ type: 'commit', id, batch }))
    if (reply.type === 'commit') return reply.result
    throw failure(reply)
  }

  /** The versions, or undefined when nothing has changed since `revision`. */
  async snapshot(revision: number | undefined): Promise<Snapshot | undefined> {
    const reply = await this.#ask((id) => ({ type: 'snapshot', id, revision }))
    if (reply.type === 'snapshot') return reply.snapshot
    throw failure(reply)
  }

  /** Says that this process serves, and what it has proved. @throws {ServiceError} `store_unavailable`. */
  async beat(heartbeat: Heartbeat): Promise<void> {
    const reply = await this.#ask((id) => ({ type: 'beat', id, heartbeat }))
    if (reply.type !== 'beat') throw failure(reply)
  }

  /** @returns whether it was not suspended before. @throws {ServiceError} `store_unavailable`. */
  async suspendVersion(suspension: VersionSuspension): Promise<boolean> {
    const reply = await this.#ask((id) => ({ type: 'suspend', id, suspension }))
    if (reply.type === 'suspend') return reply.isNew
    throw failure(reply)
  }

  /** What is begun and not done. @throws {ServiceError} `store_unavailable`. */
  async backlog(): Promise<Backlog> {
    const reply = await this.#ask((id) => ({ type: 'backlog', id }))
    if (reply.type === 'backlog') return reply.backlog
    throw failure(reply)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#dead) this.#worker.postMessage({ type: 'close' } satisfies AuditRequest)
    await this.#ended
  }

  #ask(request: (id: number) => AuditRequest): Promise<AuditReply> {
    if (this.#dead) return Promise.reject(writerDied())
    const { promise, resolve, reject } = Promise.withResolvers<AuditReply>()
    this.#lastId += 1
    this.#pending.set(this.#lastId, { answer: resolve, reject })
    this.#worker.postMessage(request(this.#lastId))
    return promise
  }

  #settle(reply: AuditReply): void {
    this.#pending.get(reply.id)?.answer(reply)
    this.#pending.delete(reply.id)
  }

  #fail(cause: unknown): void {
    this.#dead = true
    for (const { reject } of this.#pending.values()) reject(writerDied(cause))
    this.#pending.clear()
  }
}

/** The same module as source (`.ts`) and compiled (`.js`). */
function workerUrl(): URL {
  const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js'
  return new URL(`./audit-worker${extension}`, import.meta.url)
}

function failure(reply: AuditReply): ServiceError {
  const message =
    reply.type === 'failure' ? reply.message : 'The audit writer answered something else'
  return new ServiceError('store_unavailable', message)
}

function writerDied(cause?: unknown): ServiceError {
  return new ServiceError(
    'store_unavailable',
    'The audit writer has stopped: restart the service',
    {
      cause,
    },
  )
}
