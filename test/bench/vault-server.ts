import { sign } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { z } from 'zod'
import { newWorld } from '../support/fake-kms.ts'
import { actions } from '../support/fake-kms/actions.ts'
import { KmsFault } from '../support/fake-kms/fault.ts'
import { actionOf, answer, answerFault } from '../support/fake-kms/wire.ts'
import { listenAndTell, readJson, reply } from './peer.ts'

/**
 * The entry of a vault of AWS's in a process of its own: it answers after so long, takes so many
 * signatures a second, and costs little itself, since it shares the cores with what is measured.
 */
const behaviour = z.object({
  delayMs: z.number().optional(),
  /** Answers nothing, and ends the connection. */
  isDown: z.boolean().optional(),
  /** More are throttled. */
  perSecondMax: z.number().optional(),
})

let now = behaviour.parse(JSON.parse(process.argv[2] ?? '{}'))
const world = newWorld()

const server = createServer((request, response) => {
  readJson(request, (body) => void respond(request, response, body))
})
listenAndTell(server)

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  body: unknown,
): Promise<void> {
  if (request.url === '/behaviour') {
    now = { ...now, ...behaviour.parse(body) }
    reply(response, now)
    return
  }
  const { delayMs = 0, isDown = false } = now
  if (isDown) {
    request.socket.destroy()
    return
  }
  const action = actionOf(request)
  const isSign = action === 'Sign'
  try {
    if (isSign && isTooMuch()) throw new KmsFault('ThrottlingException', 'Rate exceeded')
    const made = isSign ? signed(body) : actions[action]?.(world, body)
    if (isSign) await pause(delayMs)
    answer(response, 200, made ?? {})
  } catch (error) {
    answerFault(
      response,
      error instanceof KmsFault ? error : new KmsFault('InternalFailure', '', 500),
    )
  }
}

const asked = z.object({ KeyId: z.string(), Message: z.string(), SigningAlgorithm: z.string() })

/** Node's own ES256: the fake's, for digests, takes a millisecond. */
function signed(body: unknown): object {
  const { KeyId, Message, SigningAlgorithm } = asked.parse(body)
  const key = world.keys.get(KeyId)
  if (!key?.secret) throw new KmsFault('NotFoundException', 'no such key')
  const signature = sign('sha256', Buffer.from(Message, 'base64'), key.secret)
  return { KeyId, SigningAlgorithm, Signature: signature.toString('base64') }
}

let bucket = { tokens: 0, atMs: 0 }

/** A tenth of a second's worth at once. */
function isTooMuch(): boolean {
  const { perSecondMax } = now
  if (perSecondMax === undefined) return false
  const atMs = performance.now()
  const filled = bucket.tokens + ((atMs - bucket.atMs) * perSecondMax) / 1_000
  const tokens = Math.min(perSecondMax / 10, filled)
  bucket = { tokens: tokens >= 1 ? tokens - 1 : tokens, atMs }
  return tokens < 1
}
