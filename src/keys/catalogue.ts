import { hash } from 'node:crypto'
import { z } from 'zod'
import { algorithmNames } from '../signing/algorithms.ts'
import { keyName } from './key.ts'

/** Terraform's name of a version, `2026-09`: versions are numbered in the order of these names. */
const generationName = z
  .string()
  .regex(/^[a-z\d][a-z\d-]{0,62}$/, 'a generation is named with a-z, 0-9 and -, like 2026-09')

/** Base64url of the SHA-256 of a DER SubjectPublicKeyInfo. */
const publicKeySha256 = z
  .string()
  .regex(/^[\w-]{42}[AEIMQUYcgkosw048]$/, 'base64url of a SHA-256: 43 characters')

/** What Terraform lets a generation do: an upper bound, of which the store decides what is done. */
const generationStates = ['pending', 'enabled', 'retiring', 'disabled'] as const

const generation = z.strictObject({
  /** AWS: the key's ARN. Azure: the key id without a version. Local: the sealed file's name. */
  resource: z.string().min(1).max(2_048),
  state: z.enum(generationStates),
  /** The one that signs first, where a key begins with several. */
  initial: z.boolean().optional(),
  public_key_sha256: publicKeySha256.optional(),
  created: z.iso.date().optional(),
})
export type Generation = z.infer<typeof generation>

const catalogueKey = z.strictObject({
  vault: z.string().min(1).max(63),
  alg: z.enum(algorithmNames),
  generations: z.record(generationName, generation),
})
export type CatalogueKey = z.infer<typeof catalogueKey>

/** A key that is yet to be made has no resource. */
const plannedKey = catalogueKey.extend({
  generations: z.record(generationName, generation.partial({ resource: true })),
})
export type PlannedKey = z.infer<typeof plannedKey>

/** CONTRACT §4: what Terraform, or a human, writes and Chancery reads. */
export const catalogueSchema = z.strictObject({
  schema_version: z.literal(1),
  environment: z.string().min(1).max(63),
  keys: z.record(keyName, catalogueKey),
  revoked: z.array(publicKeySha256).default([]),
  /** Whatever its writer wants to keep there. */
  meta: z.record(z.string(), z.unknown()).default({}),
})
export type Catalogue = z.infer<typeof catalogueSchema>

/** What a plan of Terraform knows of the next catalogue, or that catalogue: to be checked, never to be taken in. */
export const plannedCatalogueSchema = catalogueSchema.extend({
  keys: z.record(keyName, plannedKey),
})
export type PlannedCatalogue = z.infer<typeof plannedCatalogueSchema>

/** How a catalogue names a public key: base64url of the SHA-256 of its DER SubjectPublicKeyInfo. */
export function spkiSha256(spki: Uint8Array): string {
  return hash('sha256', spki, 'base64url')
}

/** Several catalogues as one: a key stands in one of them. */
export type Catalogues = {
  readonly keys: ReadonlyMap<string, CatalogueKey>
  /** Digests of public keys that may never sign again. */
  readonly revoked: ReadonlySet<string>
}
