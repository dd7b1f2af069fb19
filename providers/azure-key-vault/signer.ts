import { z } from 'zod'
import { ServiceError } from '../../src/errors.ts'
import { type Bytes, decodeBase64url } from '../../src/lib/bytes.ts'
import { type Algorithm, algorithm } from '../../src/signing/algorithms.ts'
import type { RequestNote, Vault } from '../../src/signing/signer.ts'
import { type AzureClient, azureClient, type AzureSurroundings } from './client.ts'
import type { AzureKeyVaultConfig } from './config.ts'
import { wrongAnswer } from './errors.ts'
import { type Inspected, inspect, readResource } from './inspector.ts'
import { quotaOf } from './quota.ts'

/**
 * The vault as `serve` sees it. Nothing is asked before a version is opened.
 *
 * @throws {ServiceError} `config_invalid` for files that cannot be used, and for an environment that would
 *   have requests go elsewhere.
 */
export async function openAzureVault(
  config: AzureKeyVaultConfig,
  surroundings: AzureSurroundings,
): Promise<Vault> {
  const client = await azureClient(config, surroundings)
  return {
    async open({ resource, algorithm: name }, signal) {
      const asked = readResource(resource, config.vaultUrl)
      const row = algorithm(name)
      const now = surroundings.clock.now()
      const inspected = await inspect(client, asked, row, now, signal)
      const quota = quotaOf(inspected.size, config.authorityHost !== undefined)
      return { ...openedSigner(client, inspected, row), quota }
    },
  }
}

function openedSigner(client: AzureClient, { id, custody, spki, key }: Inspected, row: Algorithm) {
  const sign = client.signing(key)
  return {
    custody,
    resource: id,

    /** It came with the attributes that were looked at: asked for alone, it could be another's. */
    async publicKey(signal: AbortSignal): Promise<Bytes> {
      signal.throwIfAborted()
      return new Uint8Array(spki)
    },

    async sign(
      { digest }: { readonly digest: Bytes | undefined },
      asked: Algorithm,
      signal: AbortSignal,
      note?: RequestNote,
    ) {
      assertAlgorithm(row, asked)
      if (!digest) throw new ServiceError('vault_key_unusable', 'The vault signs digests only')
      const { body, requestId } = await sign(row.name, digest, signal)
      if (requestId !== undefined) note?.(requestId)
      return signatureIn(body, id)
    },
  }
}

/** One algorithm per key: RSA would sign RS256 and PS256 alike. */
function assertAlgorithm(own: Algorithm, asked: Algorithm): void {
  if (asked.name === own.name) return
  throw new ServiceError('vault_key_unusable', `The key signs ${own.name} only`)
}

/** https://learn.microsoft.com/rest/api/keyvault/keys/sign/sign#keyoperationresult */
const signAnswer = z.object({ kid: z.string(), value: z.string().max(4_096) })

/** ECDSA is r || s already: https://learn.microsoft.com/azure/key-vault/keys/about-keys-details#signverify */
function signatureIn(answer: unknown, id: string): Bytes {
  const { data } = signAnswer.safeParse(answer)
  if (!data) throw wrongAnswer('The vault answered no signature', typeof answer)
  if (data.kid !== id) throw wrongAnswer('The vault answered for another key', data.kid)
  try {
    return decodeBase64url(data.value)
  } catch (error) {
    throw wrongAnswer('The vault answered no signature', error)
  }
}
