import { createServer } from 'node:http'
import { KMSClient, SignCommand } from '@aws-sdk/client-kms'
import { z } from 'zod'
import { region } from '../support/fake-kms/keys.ts'
import { listenAndTell, readJson, reply } from './peer.ts'

/**
 * The entry of a server that has AWS's own client sign, and does nothing else: no callers, no rules, no
 * audit, no check of the signature.
 */
const { endpoint, keyArn: KeyId } = z
  .object({ endpoint: z.url(), keyArn: z.string() })
  .parse(JSON.parse(process.argv[2] ?? ''))

const agent = { keepAlive: true, maxSockets: 64 }
const client = new KMSClient({
  region,
  endpoint,
  maxAttempts: 1,
  requestHandler: { httpAgent: agent, httpsAgent: agent },
})

const server = createServer((request, response) => {
  readJson(request, (sent) => {
    const Message = Buffer.from(JSON.stringify(sent))
    const command = new SignCommand({ KeyId, Message, SigningAlgorithm: 'ECDSA_SHA_256' })
    void client
      .send(command)
      .then(({ Signature = new Uint8Array() }) =>
        reply(response, { signature: Buffer.from(Signature).toString('base64url') }),
      )
  })
})
listenAndTell(server)
