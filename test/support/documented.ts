import { z } from 'zod'
import { openApiDocument } from '../../src/http/openapi.ts'

/** What the OpenAPI document says of one answer. */
type Documented = { readonly description: string; readonly content?: Content }
type Content = { readonly [mediaType: string]: { readonly schema: Schema } }
type Schema = z.core.JSONSchema.JSONSchema
type Operation = { readonly responses: { readonly [status: string]: Documented } }

const operations = new Map(
  Object.entries(openApiDocument.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => [
      `${method} ${path}`,
      operation as Operation,
    ]),
  ),
)

/** `post /v1/keys/{key}/sign` */
export const documentedOperations: readonly string[] = [...operations.keys()]

/**
 * Why an answer is none that the document describes; undefined when it is one. A path that is not in
 * the document, or a wrong method on one, has a problem document all the same.
 */
export function undocumented(
  method: string,
  path: string,
  answer: AnswerToCheck,
): string | undefined {
  const { status, mediaType, text } = answer
  const operation = operations.get(`${method.toLowerCase()} ${templateOf(path)}`)
  const isRoute = operation !== undefined && status !== 405 && !(status === 404 && !isOfKey(path))
  const response = isRoute
    ? operation.responses[status]
    : { description: '', content: problemContent }
  if (!response) return `${method} ${path} does not document ${status}`
  if (!response.content) return undefined
  const content = response.content[mediaType]
  if (!content) return `${method} ${path} ${status} does not document ${mediaType}`
  const value: unknown = mediaType.endsWith('json') ? JSON.parse(text) : text
  const parsed = readerOf(content.schema).safeParse(value)
  return parsed.success ? undefined : `${path} ${status}: ${parsed.error.message}`
}

type AnswerToCheck = { readonly status: number; readonly mediaType: string; readonly text: string }

const problemReference = '#/components/schemas/Problem'
const problemContent: Content = {
  'application/problem+json': { schema: { $ref: problemReference } },
}

const readers = new Map<Schema, z.ZodType>()

function readerOf(schema: Schema): z.ZodType {
  const { Problem } = openApiDocument.components.schemas
  const known = readers.get(schema)
  if (known) return known
  const reader = z.fromJSONSchema(schema.$ref === problemReference ? { ...Problem } : schema)
  readers.set(schema, reader)
  return reader
}

function templateOf(path: string): string {
  return path.replace(/\?.*$/s, '').replace(/^\/v1\/keys\/[^/]+\//, '/v1/keys/{key}/')
}

function isOfKey(path: string): boolean {
  return templateOf(path).startsWith('/v1/keys/{key}/')
}
