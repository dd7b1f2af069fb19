import { z } from 'zod'
import { ServiceError } from '../errors.ts'
import { type Bytes, decodeBase64 } from '../lib/bytes.ts'
import type { JsonObject } from '../lib/json.ts'
import { claimSetComplaint, isJsonObject, type SignForm } from './sign-form.ts'

const signingInputCharactersMax = 16_384

/** Of `signature`; a JWT is always compact. */
const encoding = z.enum(['base64url', 'base64', 'hex']).default('base64url')

const claims = z.custom<JsonObject>(isJsonObject, 'an object of claims')

/** Exactly one form: the members of two, or an unknown one, are refused. */
export const signBodies = {
  claims: z.strictObject({ claims }),
  signingInput: z.strictObject({
    signingInput: z.string().max(signingInputCharactersMax),
    encoding,
  }),
  message: z.strictObject({ message: z.string(), encoding }),
  digest: z.strictObject({ digest: z.string(), encoding }),
} as const

export type SignatureEncoding = z.infer<typeof encoding>
export type SignRequest = { readonly form: SignForm; readonly encoding: SignatureEncoding }

/**
 * The shape of a body; nothing here depends on the key.
 *
 * @throws {ServiceError} `malformed_request` with every issue, none of which echoes a value.
 */
export function readSignRequest(body: unknown): SignRequest {
  const [form, ...others] = ['claims', 'signingInput', 'message', 'digest'].filter(
    (name) => isJsonObject(body) && Object.hasOwn(body, name),
  )
  if (others.length > 0) throw malformed([{ path: '', message: oneOf }])
  switch (form) {
    case 'claims':
      return { form: claimsForm(parse(signBodies.claims, body).claims), encoding: 'base64url' }
    case 'signingInput': {
      const { signingInput, encoding: asked } = parse(signBodies.signingInput, body)
      return { form: { kind: 'signingInput', text: signingInput }, encoding: asked }
    }
    case 'message': {
      const { message, encoding: asked } = parse(signBodies.message, body)
      return { form: { kind: 'message', message: decode(message, 'message') }, encoding: asked }
    }
    case 'digest': {
      const { digest, encoding: asked } = parse(signBodies.digest, body)
      return { form: { kind: 'digest', digest: decode(digest, 'digest') }, encoding: asked }
    }
    case undefined:
    default:
      throw malformed([{ path: '', message: oneOf }])
  }
}

const oneOf = 'send an object with exactly one of claims, signingInput, message, digest'

function claimsForm(sent: JsonObject): SignForm {
  const complaint = claimSetComplaint(sent)
  if (complaint) throw malformed([{ ...complaint, path: ['claims', complaint.path].join('.') }])
  return { kind: 'claims', claims: sent }
}

function decode(text: string, path: 'message' | 'digest'): Bytes {
  try {
    return decodeBase64(text)
  } catch (cause) {
    throw malformed([{ path, message: 'not strict base64 or base64url' }], cause)
  }
}

function parse<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  const issues = parsed.error.issues.map(({ path, code, message }) => ({
    path: path.join('.'),
    // Zod names unknown members, which are the caller's own text.
    message: code === 'unrecognized_keys' ? 'unknown members' : message,
  }))
  throw malformed(issues, parsed.error)
}

function malformed(
  issues: readonly { readonly path: string; readonly message: string }[],
  cause?: unknown,
): ServiceError {
  return new ServiceError('malformed_request', 'The body is not as the API document says', {
    cause,
    details: { issues },
  })
}
