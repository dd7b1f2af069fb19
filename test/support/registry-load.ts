import { generateKeyPairSync, randomInt } from 'node:crypto'
import { publicKeyFromSpki, spkiOf } from '../../src/signing/public-key.ts'
import { rfcJwk } from './registry-keys.ts'
import { keysPath } from './registry.ts'

/** What a client was told of a key: nothing, as long as its answer has not come. */
export type Told = 'asked' | 'done' | 'refused'

/** A key that was sent to a registry, and what is known of it. */
export type SentKey = {
  readonly kid: string
  readonly app: string
  created: Told
  deleted: Told | undefined
}

export type LoadOptions = {
  readonly url: string
  readonly apps: readonly string[]
  /** One a client: a token's rate is bounded. */
  readonly tokens: readonly string[]
}

/** Clients that create and delete keys as fast as they are answered, until nobody answers. */
export class RegistryLoad {
  readonly sent: SentKey[] = []
  /** Settles when every client has found nobody to answer. */
  readonly ended: Promise<unknown>
  readonly #options: LoadOptions
  #answers = 0
  #wanted: { readonly count: number; readonly resolve: () => void } | undefined

  constructor(options: LoadOptions) {
    this.#options = options
    this.ended = Promise.all(options.tokens.map((token) => this.#client(token)))
  }

  get answers(): number {
    return this.#answers
  }

  /** Resolves as soon as so many answers are here, or none will come any more. */
  async answered(count: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#wanted = { count, resolve }
    await Promise.race([promise, this.ended])
  }

  async #client(token: string): Promise<void> {
    const mine: SentKey[] = []
    for (;;) {
      const oldest = mine.find(({ created, deleted }) => created === 'done' && !deleted)
      const isFull = mine.at(-1)?.created === 'refused'
      const going = oldest && (isFull || mine.length % 3 === 0) ? oldest : undefined
      const isAnswered = going ? await this.#delete(token, going) : await this.#create(token, mine)
      if (!isAnswered) return
      this.#answers += 1
      if (this.#wanted && this.#answers >= this.#wanted.count) this.#wanted.resolve()
    }
  }

  async #create(token: string, mine: SentKey[]): Promise<boolean> {
    const { apps } = this.#options
    const app = apps[randomInt(apps.length)] ?? ''
    const jwk = rfcJwk('EdDSA', newKey())
    const key: SentKey = { kid: jwk.kid, app, created: 'asked', deleted: undefined }
    mine.push(key)
    this.sent.push(key)
    const status = await this.#ask(token, 'POST', keysPath(app), { jwk })
    if (status === undefined) return false
    key.created = toldBy(status, 201)
    return true
  }

  async #delete(token: string, key: SentKey): Promise<boolean> {
    key.deleted = 'asked'
    const status = await this.#ask(token, 'DELETE', `${keysPath(key.app)}/${key.kid}`)
    if (status === undefined) return false
    key.deleted = toldBy(status, 204)
    return true
  }

  /** @returns undefined when nobody answers. */
  async #ask(token: string, method: string, path: string, body?: object) {
    const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' }
    const init = { method, headers, ...(body && { body: JSON.stringify(body) }) }
    const response = await fetch(`${this.#options.url}${path}`, init).catch(() => undefined)
    await response?.arrayBuffer().catch(() => undefined)
    return response?.status
  }
}

/** 429 and 5xx say that it was not done, or that nobody knows: nothing is concluded from them. */
function toldBy(status: number, done: number): Told {
  if (status === done) return 'done'
  return status === 403 ? 'refused' : 'asked'
}

function newKey() {
  return publicKeyFromSpki(spkiOf(generateKeyPairSync('ed25519').publicKey))
}
