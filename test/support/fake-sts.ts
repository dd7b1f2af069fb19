import { once } from 'node:events'
import { createServer, request as send, type IncomingMessage, type ServerResponse } from 'node:http'
import { systemClock } from '../../src/lib/clock.ts'
import type { FakeKms } from './fake-kms.ts'

/** AWS STS before a fake KMS, as an emulator has them at one address. */
export interface FakeSts extends AsyncDisposable {
  readonly endpoint: string
  readonly port: number
  /** What was asked of STS, with whose signature. */
  readonly asked: readonly {
    readonly action: string
    readonly role: string
    readonly by: string | undefined
  }[]
  /** From now on it answers no more, or does again. */
  hangs: boolean
}

/** @param lifeMs of the credentials that it gives: `ASIA-1`, `ASIA-2` and so on. */
export async function fakeSts(kms: FakeKms, lifeMs: number): Promise<FakeSts> {
  const asked: FakeSts['asked'][number][] = []
  const state = { hangs: false }
  const assume = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await bodyOf(request)
    const action = body.get('Action') ?? ''
    const [, by] = /Credential=([\w-]+)\//.exec(request.headers.authorization ?? '') ?? []
    asked.push({ action, role: body.get('RoleArn') ?? '', by })
    if (!state.hangs) answer(response, action, asked.length, lifeMs)
  }
  const server = createServer((request, response) => {
    const isQuery = request.headers['content-type']?.startsWith('application/x-www-form-urlencoded')
    if (isQuery === true) void assume(request, response)
    else passOn(kms, request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0
  return {
    endpoint: `http://127.0.0.1:${port}`,
    port,
    asked,
    get hangs() {
      return state.hangs
    },
    set hangs(hangs) {
      state.hangs = hangs
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html#API_AssumeRole_Examples */
function answer(response: ServerResponse, action: string, serial: number, lifeMs: number): void {
  const expiration = new Date(systemClock.now() + lifeMs).toISOString()
  response.setHeader('Content-Type', 'text/xml')
  response.end(`<${action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <${action}Result>
    <Credentials>
      <AccessKeyId>ASIA-${serial}</AccessKeyId>
      <SecretAccessKey>a-secret</SecretAccessKey>
      <SessionToken>a-token</SessionToken>
      <Expiration>${expiration}</Expiration>
    </Credentials>
    <AssumedRoleUser>
      <Arn>arn:aws:sts::111122223333:assumed-role/signer/session</Arn>
      <AssumedRoleId>AROA:session</AssumedRoleId>
    </AssumedRoleUser>
  </${action}Result>
  <ResponseMetadata><RequestId>a-request</RequestId></ResponseMetadata>
</${action}Response>`)
}

async function bodyOf(request: IncomingMessage): Promise<URLSearchParams> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return new URLSearchParams(Buffer.concat(chunks).toString('utf8'))
}

function passOn(kms: FakeKms, request: IncomingMessage, response: ServerResponse): void {
  const { method = 'POST', headers, url = '/' } = request
  const onward = send(new URL(url, kms.endpoint), { method, headers }, (answered) => {
    response.writeHead(answered.statusCode ?? 500, answered.headers)
    answered.pipe(response)
  })
  onward.on('error', () => response.destroy())
  request.pipe(onward)
}
