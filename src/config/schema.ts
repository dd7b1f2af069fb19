import { z } from 'zod'
import { keyName, sources } from '../keys/key.ts'
import { configuredDestination } from '../lib/destination.ts'
import { operations } from '../policy/grant.ts'
import { algorithmNames } from '../signing/algorithms.ts'
import { durationMs, ratePerSecond } from '../lib/duration.ts'

/** CONTRACT §2. Every object is strict: an unknown member is an error, never ignored. */

export const callerName = z
  .string()
  .regex(
    /^[a-z][a-z0-9-]{0,62}$/,
    'a caller name is a-z, 0-9 and -, from a letter, at most 63 long',
  )

export const path = z.string().min(1)

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
  z.strictObject({ name: z.literal('api-key-token') }),
])

/** Fetched by the service: what it would not fetch is refused here, with the reason. */
function assertFetchable(url: string, context: z.RefinementCtx): void {
  const verdict = configuredDestination(url)
  if ('refused' in verdict) context.addIssue({ code: 'custom', message: verdict.refused })
}

/** A segment of a path, and so neither `.` nor `..`. */
const registryId = /^[\w-][\w.-]{0,63}$/

/** What a registry is reached by: https, or http on this host. */
const registryUrl = z
  .string()
  .max(2_048)
  .superRefine(assertFetchable)
  .refine((url) => !url.includes('?'), 'a registry’s url has no query')

const registryAccess = {
  organization: z.string().regex(registryId, 'an organization is letters, digits, . _ and -'),
  tokenFile: path,
}

export const registryEntry = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('embedded'), url: registryUrl, ...registryAccess }),
  z.strictObject({
    type: z.literal('contentful'),
    // https://www.contentful.com/developers/docs/references/content-management-api/#/introduction
    url: registryUrl.default('https://api.contentful.com'),
    ...registryAccess,
  }),
])
export type RegistryEntry = z.infer<typeof registryEntry>

const keyRegistry = z.union(
  [
    z.strictObject({
      name: z.string(),
      app: z.string().regex(registryId, 'an app is letters, digits, . _ and -'),
    }),
    z.strictObject({
      type: z.literal('manual'),
      system: z.enum(['github', 'icr']),
      url: z.string().regex(/^https:\/\/[^\s]{1,2000}$/, 'https://…, where people look after it'),
    }),
  ],
  'a registry is { name, app } of one of registries, or { type: manual, system: github | icr, url: https://… }',
)

const method = z
  .string()
  .regex(/^[\w.:-]{1,64}$/, 'a method is letters, digits and _ . : -, like match')

export const rotationEntry = z.strictObject({
  every: durationMs.optional(),
  overlap: durationMs.optional(),
  standby: z.literal([0, 1]).optional(),
  propagation: durationMs.optional(),
})
export type RotationEntry = z.infer<typeof rotationEntry>

export const keyEntry = z.strictObject({
  vault: z.string(),
  alg: z.enum(algorithmNames),
  modulusBits: z.literal([2048, 3072, 4096]).optional(),
  purpose: z.enum(['jwt', 'bytes']).default('jwt'),
  profile: profile.optional(),
  registry: keyRegistry.optional(),
  source: z.enum(sources).default('generated'),
  rotation: rotationEntry.optional(),
  methods: z.array(method).max(64).optional(),
})
export type KeyEntry = z.infer<typeof keyEntry>

const scalar = z.union(
  [z.string().max(2_048), z.int(), z.boolean()],
  'a value is a text of at most 2048 characters, an integer, true or false',
)

const apiKey = z.strictObject({
  id: z.string().regex(/^[0-9A-Za-z]{10}$/, 'an API key id has 10 letters and digits'),
  sha256: z.string().regex(/^[0-9a-f]{64}$/, 'SHA-256 of the whole API key, 64 digits of hex'),
})

const fetchedUrl = z.string().max(2_048).superRefine(assertFetchable)

/** A claim, or by JSON Pointer a member of one. */
const matchedClaim = z
  .string()
  .regex(
    /^(?!__proto__$)[^/][^]*$|^(?:\/(?:[^~/]|~[01])+){1,8}$/,
    'a claim, or a JSON Pointer like /a/b',
  )
  .max(256)

const algorithms = z.enum(algorithmNames.filter((name) => !name.startsWith('HS')))

const oidc = z
  .strictObject({
    issuer: fetchedUrl.refine((url) => !url.includes('?'), 'an issuer has no query'),
    audience: text,
    match: z
      .record(matchedClaim, scalar)
      .refine(
        (match) => Object.keys(match).length > 0,
        'name at least one claim that only this caller has',
      ),
    jwksUri: fetchedUrl.optional(),
    jwksFile: path.optional(),
    algorithms: z.array(algorithms).min(1).default(['RS256']),
    maxTokenLifetime: durationMs.default(3_600_000),
  })
  .refine(
    ({ jwksUri, jwksFile }) => jwksUri === undefined || jwksFile === undefined,
    'jwksUri or jwksFile, not both',
  )

/** RFC 3986 without what a certificate would have to quote. */
const certificateUri = z
  .string()
  .max(2_048)
  .regex(/^[a-z][a-z0-9+.-]*:[\w.~:/?#[\]@!$&()*+;=%-]+$/i, 'a URI, like spiffe://acme/blog')

export const callerEntry = z
  .strictObject({
    apiKeys: z
      .array(apiKey)
      .min(1, 'at least one API key: run `chancery callers new-key NAME`')
      .max(8)
      .optional(),
    oidc: oidc.optional(),
    certificate: z.strictObject({ uri: certificateUri }).optional(),
  })
  .refine(
    (caller) => Object.values(caller).some((way) => way !== undefined),
    'a caller needs apiKeys (run `chancery callers new-key NAME`), oidc or certificate',
  )
export type CallerEntry = z.infer<typeof callerEntry>

const claimRule = z
  .strictObject({
    const: scalar.optional(),
    oneOf: z.array(scalar).min(1).max(64).optional(),
    prefix: z
      .string()
      .regex(/[:/.#]$/, 'a prefix ends in one of : / . # so that it cannot match half a name')
      .optional(),
    text: z.int().min(1).max(2_048).optional(),
    fromCaller: z.string().min(1).max(256).optional(),
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
  noExpiry: z.literal(true).optional(),
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
        .strictObject({
          address,
          behindProxy: z.boolean().default(false),
          tls: z
            .strictObject({ certificateFile: path, keyFile: path, clientCaFile: path.optional() })
            .optional(),
        })
        .default({ address: { host: '127.0.0.1', port: 8480 }, behindProxy: false }),
      ops: z.strictObject({ address }).default({ address: { host: '127.0.0.1', port: 8481 } }),
      drainDelay: durationMs.default(5_000),
    })
    .prefault({}),
  audit: z.strictObject({ digestKeyFile: path }),
  catalogues: z.array(path).max(32).default([]),
} as const

/** The sections of named entries, and the list of grants. */
const entrySections = <V extends z.ZodType>(vault: V) =>
  ({
    vaults: z.record(z.string(), vault),
    registries: z.record(z.string(), registryEntry),
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
