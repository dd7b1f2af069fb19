import { sign } from 'node:crypto'
import { createServer, type ServerResponse } from 'node:http'
import { z } from 'zod'
import { listenAndTell, readJson, reply } from './peer.ts'
import { keyPairFor } from './subjects.ts'

/**
 * The entry of a server that signs JWTs and does nothing else: no callers, no rules, no audit, no
 * check of the signature. RSA goes through the thread pool, as ours does.
 */
const { algorithm, modulusBits } = z
  .object({ algorithm: z.enum(['RS256', 'ES256', 'EdDSA']), modulusBits: z.int().optional() })
  .parse(JSON.parse(process.argv[2] ?? ''))

const { privateKey } = keyPairFor(algorithm, modulusBits)
const hash = algorithm === 'EdDSA' ? null : 'sha256'
const header = segment({ alg: algorithm, typ: 'JWT' })
const body = z.object({ claims: z.looseObject({}) })

const server = createServer((request, response) => {
  readJson(request, (sent) => answer(body.parse(sent).claims, response))
})
listenAndTell(server)

function answer(claims: object, response: ServerResponse): void {
  const iat = Math.floor((performance.timeOrigin + performance.now()) / 1_000)
  const input = `${header}.${segment({ iss: 'bare', iat, exp: iat + 300, ...claims })}`
  const done = (signature: Buffer) =>
    reply(response, { jwt: `${input}.${signature.toString('base64url')}` })
  if (algorithm !== 'RS256') return done(sign(hash, Buffer.from(input), privateKey))
  sign(hash, Buffer.from(input), privateKey, (error, signature) => {
    if (error) throw error
    done(signature)
  })
}

function segment(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
