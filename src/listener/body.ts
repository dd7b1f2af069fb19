import { ServiceError } from '../errors.ts'
import { decodeUtf8 } from '../lib/bytes.ts'
import { parseJson } from '../lib/json.ts'
import { assertBodyFits } from '../lib/body-size.ts'

const jsonType = /^application\/json\s*(?:;\s*charset=utf-8\s*)?$/i

/**
 * The body as JSON, refused in the order that is part of the API: size, type, shape.
 *
 * @param types the media types that say so.
 * @throws {ServiceError} `request_too_large`, `unsupported_media_type`, `malformed_request`.
 */
export async function readJsonBody(request: Request, types = jsonType): Promise<unknown> {
  const bytes = await readBody(request).catch(brokenOff)
  const type = request.headers.get('content-type') ?? ''
  if (!types.test(type)) {
    throw new ServiceError('unsupported_media_type', 'Send Content-Type: application/json')
  }
  return parseJson(decodeUtf8(bytes))
}

async function readBody(request: Request): Promise<Uint8Array> {
  const declared = request.headers.get('content-length')
  if (declared === null) return readChunks(request)
  // Node's parser reads exactly as much as was declared.
  assertBodyFits(Number(declared))
  return new Uint8Array(await request.arrayBuffer())
}

/** A body without a declared length is counted as it comes, and left alone past the limit. */
async function readChunks(request: Request): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of request.body ?? []) {
    length += chunk.length
    assertBodyFits(length)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** @throws {ServiceError} what it was given, or `malformed_request` for a caller that hung up. */
function brokenOff(cause: unknown): never {
  if (cause instanceof ServiceError) throw cause
  throw new ServiceError('malformed_request', 'The body breaks off', { cause })
}
