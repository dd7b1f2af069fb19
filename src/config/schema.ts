import { z } from 'zod'
import { keyName } from '../keys/key.ts'
import { operations } from '../policy/grant.ts'
import { algorithmNames } from '../signing/algorithms.ts'
import { parseDurationMs, parseRatePerSecond } from '../lib/duration.ts'

/** CONTRACT §2. Every object is strict: an unknown member is an error, never ignored. */

export const callerName = z
  .string()
  .regex(
    /^[a-z][a-z0-9-]{0,62}$/,
    'a caller name is a-z, 0-9 and -, from a letter, at most 63 long',
  )

export const path = z.string().min(1)

export const durationMs = z
  .string()
  .refine(
    (text) => parseDurationMs(text) !== undefined,
    'a duration is a number with s, m, h or d, like 30s',
  )
  .transform((text) => parseDurationMs(text) ?? 0)

const ratePerSecond = z
  .string()
  .refine(
    (text) => parseRatePerSecond(text) !== undefined,
    'a rate is a number per s or m, like 20/s',
  )
  .transform((text) => parseRatePerSecond(text) ?? 0)

/** `127.0.0.1:8480` or `[::1]:8480`; port 0 takes a free one. */
export const address = z
  .string()
  .regex(/^(?:[\w.-]+|\[[\da-fA-F:.]+\]):\d{1,5}$/, 'an address is HOST:PORT, like 127.0.0.1:8480')
  .transform((text) => {
    const colon = text.lastIndexOf(':')
    return {
      host: text.slice(0, colon).replace(/^\[|\]$/g, ''),
      port: Number(text.slice(colon + 1)),
    }
  })
  .refine(({ port }) => port <= 65_535, 'a port is at most 65535')

export type ListenAddress = { readonly host: string; readonly port: number }

export function isLoopback({ host }: ListenAddress): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}

const text = z.string().min(1).max(2_048)

const profile = z.discriminatedUnion('name', [
  z.strictObject({
    name: z.literal(['generic-jwt', 'github-app', 'icr-app', 'contentful-app']),
    issuer: text,
  }),
  z.strictObject({ name: z.literal('client-assertion'), clientId: text, audience: text }),
])

export const keyEntry = z.strictObject({
  vault: z.string(),
  alg: z.enum(algorithmNames),
  modulusBits: z.literal([2048, 3072, 4096]).optional(),
  purpose: z.enum(['jwt', 'bytes']).default('jwt'),
  profile: profile.optional(),
  source: z.literal('generated').default('generated'),
})
export type KeyEntry = z.infer<typeof keyEntry>

export const callerEntry = z.strictObject({
  apiKeys: z
    .array(
      z.strictObject({
        id: z.string().regex(/^[0-9A-Za-z]{10}$/, 'an API key id has 10 letters and digits'),
        sha256: z
          .string()
          .regex(/^[0-9a-f]{64}$/, 'SHA-256 of the whole API key, 64 digits of hex'),
      }),
    )
    .min(1, 'a caller needs at least one API key: run `chancery callers new-key NAME`')
    .max(8),
})

const scalar = z.union(
  [z.string().max(2_048), z.int(), z.boolean()],
  'a value is a text of at most 2048 characters, an integer, true or false',
)

const claimRule = z
  .strictObject({
    const: scalar.optional(),
    oneOf: z.array(scalar).min(1).max(64).optional(),
    prefix: z
      .string()
      .regex(/[:/.#]$/, 'a prefix ends in one of : / . # so that it cannot match half a name')
      .optional(),
    text: z.int().min(1).max(2_048).optional(),
    fromCaller: z.literal('name').optional(),
    optional: z.boolean().default(false),
  })
  .refine(
    ({ optional: _, ...checks }) => Object.keys(checks).length === 1,
    'a claim has exactly one of const, oneOf, prefix, text, fromCaller',
  )

export const grantEntry = z.strictObject({
  caller: z.string(),
  key: z.string(),
  operations: z.array(z.enum(operations)).min(1),
  maxLifetime: durationMs.optional(),
  limit: ratePerSecond.optional(),
  claims: z.record(z.string().min(1).max(64), claimRule).optional(),
})
export type GrantEntry = z.infer<typeof grantEntry>

/** The sections that have no entries of their own. */
export const plainSections = {
  environment: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,30}$/, 'an environment is a-z, 0-9 and -, from a letter, like dev'),
  allowSoftwareKeys: z.boolean().default(false),
  store: z.strictObject({ sqlite: path }),
  listen: z
    .strictObject({
      sign: z
        .strictObject({ address, behindProxy: z.boolean().default(false) })
        .default({ address: { host: '127.0.0.1', port: 8480 }, behindProxy: false }),
      ops: z.strictObject({ address }).default({ address: { host: '127.0.0.1', port: 8481 } }),
      drainDelay: durationMs.default(5_000),
    })
    .prefault({}),
  audit: z.strictObject({ digestKeyFile: path }),
} as const

/** The sections of named entries, and the list of grants. */
const entrySections = <V extends z.ZodType>(vault: V) =>
  ({
    vaults: z.record(z.string(), vault),
    keys: z.record(keyName, keyEntry),
    callers: z.record(callerName, callerEntry),
    grants: z.array(grantEntry),
  }) as const

/** The JSON Schema of a configuration file (draft 2020-12). */
export function configJsonSchema(vault: z.ZodType): object {
  const { environment, store, audit, ...optional } = plainSections
  const sections = { environment, store, audit, ...optional, ...partial(entrySections(vault)) }
  return z.toJSONSchema(z.strictObject(sections), { io: 'input' })
}

function partial(sections: Readonly<Record<string, z.ZodType>>) {
  return Object.fromEntries(
    Object.entries(sections).map(([name, schema]) => [name, schema.optional()]),
  )
}
