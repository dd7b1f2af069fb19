import { z } from 'zod'
import { fingerprintNames } from '../service/fingerprint.ts'
import { problems } from './problem.ts'
import { signBodies } from '../service/sign-request.ts'

const bearer = [{ bearer: [] }]

const keyParameter = {
  name: 'key',
  in: 'path',
  required: true,
  schema: { type: 'string', pattern: '^[a-z][a-z0-9-]{0,62}$' },
}

const headers = {
  'X-Request-Id': { schema: { type: 'string' } },
  'Cache-Control': { schema: { const: 'no-store' } },
}

const identity = {
  key: { type: 'string' },
  version: { type: 'integer', minimum: 1 },
  kid: { type: 'string' },
  alg: { type: 'string' },
}
const expiresAt = { type: ['string', 'null'], format: 'date-time' }
const jwt = { type: 'string' }
const signature = { type: 'string' }

const fingerprint = {
  version: identity.version,
  state: { enum: ['published', 'active', 'retiring'] },
  alg: identity.alg,
  kid: identity.kid,
  custody: { type: 'string' },
  fingerprints: {
    type: 'object',
    propertyNames: { enum: fingerprintNames },
    additionalProperties: { type: 'string' },
  },
}

/** OpenAPI 3.1; its schemas are JSON Schema, so bodies come straight from the zod schemas. Names no keys. */
export const openApiDocument = {
  openapi: '3.1.0',
  info: {
    title: 'Chancery',
    version: '1',
    description:
      'Signs with keys that never leave their vault. Nothing else can be done with a key here.',
    license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
  },
  components: {
    securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } },
    schemas: { Problem: problemSchema() },
  },
  paths: {
    '/v1/keys/{key}/sign': {
      post: {
        operationId: 'sign',
        summary: 'Sign claims, a signing input, a message or a digest',
        security: bearer,
        parameters: [keyParameter, timeoutParameter()],
        requestBody: {
          required: true,
          content: {
            'application/json': { schema: { oneOf: Object.values(signBodies).map(jsonSchema) } },
          },
        },
        responses: {
          200: {
            description:
              'Signed. With Accept: text/plain the JWT (claims), else the signature, alone.',
            headers: { ...headers, 'Server-Timing': { schema: { type: 'string' } } },
            content: {
              'application/json': {
                schema: {
                  oneOf: [
                    object({ jwt, ...identity, expiresAt }),
                    object({ signature, jwt, ...identity, expiresAt }),
                    object({ signature, ...identity }),
                  ],
                },
              },
              'text/plain': { schema: { type: 'string' } },
            },
          },
          ...problemResponses(),
        },
      },
    },
    '/v1/keys/{key}/fingerprint': {
      get: {
        operationId: 'readFingerprint',
        summary: 'Named fingerprints of the public key',
        security: bearer,
        parameters: [
          keyParameter,
          query('version', { oneOf: [{ const: 'all' }, { type: 'integer', minimum: 1 }] }),
          query('format', { enum: fingerprintNames }),
        ],
        responses: {
          200: {
            description:
              'The version that signs, the one asked for, or all that verifiers can see.',
            headers,
            content: {
              'application/json': {
                schema: {
                  oneOf: [
                    object({ key: identity.key, ...fingerprint }),
                    object({
                      key: identity.key,
                      versions: { type: 'array', items: object(fingerprint) },
                    }),
                  ],
                },
              },
              'text/plain': { schema: { type: 'string' } },
            },
          },
          ...problemResponses(),
        },
      },
    },
    '/openapi.json': {
      get: {
        operationId: 'openapi',
        summary: 'This document',
        responses: { 200: { description: 'OpenAPI 3.1' } },
      },
    },
    '/healthz': {
      get: {
        operationId: 'healthz',
        summary: 'The process answers',
        responses: { 200: { description: 'ok' } },
      },
    },
  },
}

function object(properties: Record<string, object>): object {
  return {
    type: 'object',
    properties,
    required: Object.keys(properties),
    additionalProperties: false,
  }
}

function jsonSchema(schema: z.ZodType): object {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
  return rest
}

function query(name: string, schema: object): object {
  return { name, in: 'query', required: false, schema }
}

function timeoutParameter(): object {
  const description = 'Milliseconds; may only shorten the deadline of 5 s.'
  return {
    name: 'X-Request-Timeout',
    in: 'header',
    required: false,
    description,
    schema: { type: 'integer' },
  }
}

function problemSchema(): object {
  const issue = object({ path: { type: 'string' }, message: { type: 'string' } })
  return {
    type: 'object',
    description: 'RFC 9457',
    properties: {
      type: { type: 'string' },
      title: { type: 'string' },
      status: { type: 'integer' },
      detail: { type: 'string' },
      code: { enum: Object.keys(problems) },
      requestId: { type: 'string' },
      issues: { type: 'array', items: issue },
      claim: { type: 'string' },
      rule: { type: 'string' },
      activeKid: { type: 'string' },
    },
    required: ['type', 'title', 'status', 'detail', 'code', 'requestId'],
    additionalProperties: false,
  }
}

/** One response per status, with the codes that have it. */
function problemResponses(): object {
  const byStatus = Map.groupBy(Object.entries(problems), ([, [status]]) => status)
  return Object.fromEntries(
    [...byStatus].map(([status, entries]) => [
      status,
      {
        description: entries.map(([code]) => code).join(', '),
        content: {
          'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } },
        },
      },
    ]),
  )
}
