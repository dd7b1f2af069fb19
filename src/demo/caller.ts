import { z } from 'zod'
import { parseJson } from '../lib/json.ts'

/** What an application sees of an answer. */
export type Answer = { readonly status: number; readonly text: string; readonly body: Body }

const body = z.looseObject({
  jwt: z.string().optional(),
  signature: z.string().optional(),
  code: z.string().optional(),
  rule: z.string().optional(),
  requestId: z.string().optional(),
})
type Body = z.infer<typeof body>

/** An application with its API key: plain HTTP, nothing of ours. */
export class Caller {
  readonly #url: string
  readonly #apiKey: string

  constructor(url: string, apiKey: string) {
    this.#url = url
    this.#apiKey = apiKey
  }

  sign(key: string, request: object): Promise<Answer> {
    return this.#ask('POST', `/v1/keys/${key}/sign`, JSON.stringify(request))
  }

  get(path: string): Promise<Answer> {
    return this.#ask('GET', path)
  }

  async #ask(method: string, path: string, content?: string): Promise<Answer> {
    const headers = { Authorization: `Bearer ${this.#apiKey}`, 'Content-Type': 'application/json' }
    const response = await fetch(this.#url + path, {
      method,
      headers,
      ...(content && { body: content }),
    })
    const text = await response.text()
    return {
      status: response.status,
      text,
      body: text.startsWith('{') ? body.parse(parseJson(text)) : {},
    }
  }
}
