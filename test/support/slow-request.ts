import { once } from 'node:events'
import { connect } from 'node:net'

/** A request whose head has been taken and whose body is still to come. */
export type SlowRequest = {
  /** Sends the body. @returns the whole answer as text. */
  readonly finish: () => Promise<string>
}

export async function slowSignRequest(
  url: string,
  apiKey: string,
  body: object,
): Promise<SlowRequest> {
  return slowRequest(url, '/v1/keys/first-key/sign', apiKey, body)
}

/** Resolves when the server has begun with the request: only then it says to continue. */
export async function slowRequest(
  url: string,
  path: string,
  token: string,
  body: object,
): Promise<SlowRequest> {
  const { hostname, port } = new URL(url)
  const content = JSON.stringify(body)
  const socket = connect(Number(port), hostname).setEncoding('utf8')
  socket.write(
    [
      `POST ${path} HTTP/1.1`,
      `Host: ${hostname}:${port}`,
      `Authorization: Bearer ${token}`,
      'Content-Type: application/json',
      `Content-Length: ${content.length}`,
      'Expect: 100-continue',
      '\r\n',
    ].join('\r\n'),
  )
  const [begun]: unknown[] = await once(socket, 'data')
  if (!String(begun).startsWith('HTTP/1.1 100 ')) throw new Error(`not begun: ${String(begun)}`)
  return {
    async finish() {
      let answer = ''
      socket.on('data', (text: string) => (answer += text))
      socket.write(content)
      await once(socket, 'close')
      return answer
    },
  }
}
