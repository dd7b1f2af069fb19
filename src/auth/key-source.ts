import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { decodeUtf8 } from '../lib/bytes.ts'
import { deadline, within } from '../lib/deadline.ts'
import { parseJson } from '../lib/json.ts'
import {
  configuredDestination,
  type Destination,
  type DestinationVerdict,
  discoveredDestination,
} from '../lib/destination.ts'
import type { FetchDocument } from '../lib/fetch-document.ts'
import type { LoadKeys } from './issuer-keys.ts'
import { publicKeySet } from './jwks.ts'

/** Where an issuer's keys are. */
export type KeySource =
  | { readonly kind: 'discovery' }
  | { readonly kind: 'uri'; readonly uri: string }
  | { readonly kind: 'file'; readonly file: string }

/** Discovery and keys, or a file on a disk that hangs. */
const loadMs = 4_000

const discoveryDocument = z.object({ issuer: z.string(), jwks_uri: z.string() })

/** How the keys of an issuer are read; each reading starts from the beginning. */
export function keyLoader(
  issuer: string,
  source: KeySource,
  fetchDocument: FetchDocument,
): LoadKeys {
  return async () => {
    using limit = deadline(loadMs)
    const { signal } = limit
    switch (source.kind) {
      case 'file':
        return publicKeySet(await within(readKeyFile(source.file), signal))
      case 'uri':
        return publicKeySet(
          await fetchDocument(permitted(configuredDestination(source.uri)), signal),
        )
      case 'discovery':
        return publicKeySet(
          await fetchDocument(await discover(issuer, fetchDocument, signal), signal),
        )
    }
  }
}

async function readKeyFile(file: string): Promise<unknown> {
  return parseJson(decodeUtf8(await readFile(file)))
}

/**
 * https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig: the document's issuer
 * must be the one that was asked for, to the letter.
 */
async function discover(
  issuer: string,
  fetchDocument: FetchDocument,
  signal: AbortSignal,
): Promise<Destination> {
  const base = permitted(configuredDestination(issuer))
  const text = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
  const document = await fetchDocument(permitted(configuredDestination(text)), signal)
  const found = discoveryDocument.parse(document)
  if (found.issuer !== issuer) throw new Error('the discovery document is of another issuer')
  return permitted(discoveredDestination(found.jwks_uri, base))
}

function permitted(verdict: DestinationVerdict): Destination {
  if ('refused' in verdict) throw new Error(`a URL that is not fetched: ${verdict.refused}`)
  return verdict
}
