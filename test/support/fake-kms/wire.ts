import type { IncomingMessage, ServerResponse } from 'node:http'
import { playOnWire } from '../wire-fault.ts'
import { type Fault, KmsFault } from './fault.ts'
import { region } from './keys.ts'

/** AWS JSON 1.1: https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html */
const contentType = 'application/x-amz-json-1.1'

/** The action that a request asks for. @throws {KmsFault} for one that is not signed, or no JSON. */
export function actionOf({ method, headers }: IncomingMessage): string {
  const [service, action] = String(headers['x-amz-target']).split('.')
  if (method !== 'POST' || service !== 'TrentService' || action === undefined) {
    throw new KmsFault('UnknownOperationException', 'no such operation', 404)
  }
  if (headers['content-type'] !== contentType) {
    throw new KmsFault('SerializationException', 'not JSON 1.1')
  }
  return action
}

export type Accepted = {
  readonly accessKeyId: string
  readonly sessionToken: string | undefined
  readonly signedHeaders: readonly string[]
  readonly signature: string
  /** When it says that it was signed. */
  readonly at: Date
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html */
const authorization =
  /^AWS4-HMAC-SHA256 Credential=([\w-]+)\/(\d{8})\/([\w-]+)\/(\w+)\/aws4_request, SignedHeaders=([\w;-]+), Signature=([\da-f]{64})$/

/**
 * Whether it says that it is signed, for this service and region, now. What it says of another region:
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/signature-v4-troubleshooting.html
 */
export function assertSigned({ headers }: IncomingMessage, now: number): Accepted {
  if (headers.authorization === undefined) {
    throw new KmsFault('MissingAuthenticationTokenException', 'Missing Authentication Token')
  }
  const [, accessKeyId, day, scope, service, signed = '', signature = ''] =
    authorization.exec(headers.authorization) ?? []
  const at = String(headers['x-amz-date'])
  const iso = at.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z')
  const signedHeaders = signed.split(';')
  const isComplete =
    accessKeyId !== undefined &&
    day === at.slice(0, 8) &&
    service === 'kms' &&
    ['host', 'x-amz-date', 'x-amz-target'].every((name) => signedHeaders.includes(name))
  if (!isComplete) throw new KmsFault('IncompleteSignatureException', 'Credential is out of scope')
  if (scope !== region) {
    const words = `Credential should be scoped to a valid region, not '${scope}'.`
    throw new KmsFault('InvalidSignatureException', words)
  }
  if (Math.abs(Date.parse(iso) - now) > 300_000) {
    throw new KmsFault('InvalidSignatureException', `Signature expired: ${at} is now earlier than`)
  }
  const token = headers['x-amz-security-token']
  const sessionToken = typeof token === 'string' ? token : undefined
  return { accessKeyId, sessionToken, signedHeaders, signature, at: new Date(iso) }
}

/** What the vault calls a request: https://docs.aws.amazon.com/kms/latest/APIReference/CommonErrors.html */
export const requestIdHeader = 'x-amzn-RequestId'

export function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'Content-Type': contentType })
  response.end(JSON.stringify(body))
}

export function answerFault(response: ServerResponse, fault: KmsFault, headers = {}): void {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, String(value))
  answer(response, fault.status, { __type: fault.type, message: fault.message })
}

/** Ends or holds up the request as the fault says; true when nothing more is to be done. */
export function play(fault: Fault, response: ServerResponse): boolean {
  switch (fault.kind) {
    case 'error': {
      const words = `arn:aws:kms:${region}:111122223333:key/secret-name said no`
      answerFault(response, new KmsFault(fault.type, words, fault.status))
      return true
    }
    case 'throttle': {
      const headers = { 'Retry-After': fault.retryAfterSeconds }
      answerFault(response, new KmsFault('ThrottlingException', 'Rate exceeded'), headers)
      return true
    }
    case 'nothing':
      response.writeHead(200, { 'Content-Type': contentType })
      response.end(fault.body)
      return true
    default:
      return playOnWire(fault, response, { contentType, requestIdHeader })
  }
}
