import { once } from 'node:events'
import { createServer } from 'node:http'

/** Where a container asks for its credentials. */
export interface CredentialSource extends AsyncDisposable {
  readonly url: string
  /** How often it was asked. */
  readonly asked: () => number
}

/**
 * The credentials endpoint of ECS and EKS, as the SDK's chain knows it:
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
 */
export async function credentialSource(expiresAt: () => number): Promise<CredentialSource> {
  let asked = 0
  const server = createServer((_, response) => {
    asked += 1
    const credentials = {
      AccessKeyId: `ASIA-${asked}`,
      SecretAccessKey: 'a-secret',
      Token: 'a-token',
      Expiration: new Date(expiresAt()).toISOString(),
    }
    response.setHeader('Content-Type', 'application/json')
    response.end(JSON.stringify(credentials))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  return {
    url: `http://127.0.0.1:${port}/credentials`,
    asked: () => asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
