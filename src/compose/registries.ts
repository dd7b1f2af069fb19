import type { Key } from '../keys/key.ts'
import { decodeUtf8, utf8 } from '../lib/bytes.ts'
import { readMountedSecret } from '../lib/file.ts'
import { Secret } from '../lib/secret.ts'
import { embeddedRegistry } from '../registry/embedded.ts'
import { manualRegistry } from '../registry/manual.ts'
import type { Registry } from '../registry/registry.ts'
import type { ServiceConfig } from './vaults.ts'

const tokenBytesMax = 4_096

/**
 * For jobs only: `serve` never reads a registry's credential. A token is read when it is needed, so
 * that a missing one stops nothing but its own registry, and a new one counts at once.
 */
export function registriesOf({ registries }: ServiceConfig): (key: Key) => Registry | undefined {
  return ({ registry }) => {
    if (!registry) return undefined
    if (registry.kind === 'manual') return manualRegistry(registry)
    const configured = registries.get(registry.registry)
    if (!configured) throw new TypeError(`no registry ${registry.registry} in a good configuration`)
    const { tokenFile, url, organization } = configured
    const { app } = registry
    return embeddedRegistry({ url, organization, app, token: () => readToken(tokenFile) })
  }
}

/** @throws {ServiceError} `config_invalid` for a file that is missing or open to others. */
async function readToken(file: string): Promise<Secret> {
  return new Secret(utf8(decodeUtf8(await readMountedSecret(file, tokenBytesMax)).trim()))
}
