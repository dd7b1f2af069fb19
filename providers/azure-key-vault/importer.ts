import type { KeyObject } from 'node:crypto'
import { z } from 'zod'
import { ServiceError } from '../../src/errors.ts'
import { decodeBase64url } from '../../src/lib/bytes.ts'
import { algorithm, type AlgorithmName } from '../../src/signing/algorithms.ts'
import { algorithmMismatch } from '../../src/signing/public-key.ts'
import type { KeyImporter } from '../../src/signing/signer.ts'
import { azureAlgorithms, azureModulusBits } from './algorithms.ts'
import { azureClient, type AzureSurroundings } from './client.ts'
import type { AzureKeyVaultConfig } from './config.ts'
import { importedTag } from './inspector.ts'
import { findByIntent, intentTag } from './intents.ts'
import { nameOfKey, seen, usualConsistency } from './new-key.ts'

/**
 * Takes key pairs that somebody else made; for the `import` command alone. The private half goes to the vault
 * over TLS, as a JWK: Key Vault unwraps only what an HSM of its own kind has wrapped.
 * https://learn.microsoft.com/rest/api/keyvault/keys/import-key/import-key
 *
 * @throws {ServiceError} `config_invalid` as `openAzureVault`.
 */
export async function azureImporter(
  config: AzureKeyVaultConfig,
  surroundings: AzureSurroundings,
  consistency = usualConsistency,
): Promise<KeyImporter> {
  const client = await azureClient(config, surroundings)
  const made = { client, config, surroundings, consistency }
  return {
    refusal,
    secretLimits: () => undefined,

    async import({ algorithm: name, intentId, name: version, material }, signal) {
      const words = refusal(name, material.asymmetricKeyDetails?.modulusLength)
      const row = algorithm(name)
      const mismatch = words ?? algorithmMismatch(material, row)
      if (mismatch !== undefined) {
        throw new ServiceError('vault_key_unusable', `The vault does not take it: ${mismatch}`)
      }
      const jwk = privateJwk(material)
      try {
        const options = {
          enabled: true,
          exportable: false,
          hardwareProtected: config.hsm,
          tags: { [intentTag]: intentId, [importedTag]: 'true' },
        }
        const { id } = await client.importKey(nameOfImport(version, intentId), jwk, options, signal)
        return await seen(made, id, row, signal)
      } finally {
        for (const part of Object.values(jwk)) if (part instanceof Uint8Array) part.fill(0)
      }
    },

    /** What is there has its material: both came in one request. */
    async find({ intentId, name }, signal, goOn) {
      const sought = { intentId, nameOfKey: nameOfImport(name, intentId) }
      const resources = await findByIntent(client, sought, signal, goOn)
      return resources.map((resource) => ({ resource, fill: undefined }))
    },

    settleMs: consistency.settleMs,
  }
}

/** A name of its own: importing to one that exists would add a version to somebody's key. */
function nameOfImport(version: string, intentId: string): string {
  return `${nameOfKey(version)}-${intentId.toLowerCase()}`
}

function refusal(name: AlgorithmName, modulusBits: number | undefined): string | undefined {
  const kind = azureAlgorithms[name]
  if (!kind) return `Azure Key Vault has no ${name}`
  if (kind.kty === 'EC' || modulusBits === undefined || azureModulusBits.includes(modulusBits))
    return undefined
  return `Azure Key Vault has no RSA keys of ${modulusBits} bits`
}

const part = z.string().transform(decodeBase64url)

const privateMembers = z.discriminatedUnion('kty', [
  z.object({
    kty: z.literal('RSA'),
    n: part,
    e: part,
    d: part,
    p: part,
    q: part,
    dp: part,
    dq: part,
    qi: part,
  }),
  z.object({ kty: z.literal('EC'), crv: z.string(), x: part, y: part, d: part }),
])

/** What it may do stands in the JWK: the options of the request would be ignored. */
function privateJwk(material: KeyObject) {
  const jwk = privateMembers.parse(material.export({ format: 'jwk' }))
  return { ...jwk, keyOps: ['sign', 'verify'] }
}
