import type { Context } from 'hono'
import { ServiceError } from '../errors.ts'
import {
  type FingerprintCommand,
  type FingerprintDeps,
  fingerprintNamed,
  fingerprintNames,
  readFingerprints,
} from '../service/fingerprint.ts'
import type { Endpoint } from './endpoint.ts'
import { jsonReply, textReply } from './reply.ts'

/** GET /v1/keys/{key}/fingerprint */
export function fingerprintRoute(deps: FingerprintDeps): Endpoint {
  return async (context, { caller, request, callerRequest }) => {
    const { version, format } = readQuery(context)
    const key = context.req.param('key') ?? ''
    const versions = readFingerprints(deps, { request, callerRequest, caller, key, version })
    if (version === 'all') return jsonReply({ key, versions })
    const [one] = versions
    if (!one) throw new TypeError('one version was asked for, and none was answered')
    if (format !== undefined) return textReply(fingerprintNamed(one, format))
    return jsonReply({ key, ...one })
  }
}

type Query = {
  readonly version: FingerprintCommand['version']
  readonly format: (typeof fingerprintNames)[number] | undefined
}

/** @throws {ServiceError} `malformed_request`. */
function readQuery({ req }: Context): Query {
  const { version: versions = [], format: formats = [], ...others } = req.queries()
  if (Object.keys(others).length > 0) throw malformed('the query has only version and format')
  const [version, ...moreVersions] = versions
  const [format, ...moreFormats] = formats
  if (moreVersions.length + moreFormats.length > 0)
    throw malformed('version or format stands twice')
  if (version === 'all' && format !== undefined) throw malformed('format needs one version')
  return { version: readVersion(version), format: readFormat(format) }
}

function readVersion(text: string | undefined): FingerprintCommand['version'] {
  if (text === undefined) return 'signing'
  if (text === 'all') return 'all'
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw malformed('version is all, or a number from 1')
}

function readFormat(text: string | undefined): Query['format'] {
  const name = fingerprintNames.find((known) => known === text)
  if (text === undefined || name !== undefined) return name
  throw malformed(`format is one of ${fingerprintNames.join(', ')}`)
}

function malformed(message: string): ServiceError {
  return new ServiceError('malformed_request', message, {
    details: { issues: [{ path: 'query', message }] },
  })
}
