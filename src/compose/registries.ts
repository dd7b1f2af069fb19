import type { Key } from '../keys/key.ts'
import { ServiceError } from '../errors.ts'
import { utf8 } from '../lib/bytes.ts'
import type { ClockWatch } from '../lib/clock-watch.ts'
import { readMountedSecret } from '../lib/file.ts'
import { Secret } from '../lib/secret.ts'
import { contentfulRegistry } from '../registry/contentful.ts'
import { embeddedRegistry } from '../registry/embedded.ts'
import { manualRegistry } from '../registry/manual.ts'
import type { Registry } from '../registry/registry.ts'
import type { ServiceConfig } from './vaults.ts'

const tokenBytesMax = 4_096

/**
 * For jobs only: `serve` never reads a registry's credential. A token is read when it is needed, so
 * that a missing one stops nothing but its own registry, and a new one counts at once.
 *
 * @param clocks told what the registries' clocks say; left away where nothing depends on it.
 */
export function registriesOf(
  { registries }: ServiceConfig,
  clocks?: ClockWatch,
): (key: Key) => Registry | undefined {
  return ({ registry }) => {
    if (!registry) return undefined
    if (registry.kind === 'manual') return manualRegistry(registry)
    const configured = registries.get(registry.registry)
    if (!configured) throw new TypeError(`no registry ${registry.registry} in a good configuration`)
    const { type, tokenFile, url, organization } = configured
    const address = {
      url,
      organization,
      app: registry.app,
      token: () => readToken(tokenFile),
      timing: clocks?.timingOf(`registry ${registry.registry}`),
    }
    return type === 'contentful' ? contentfulRegistry(address) : embeddedRegistry(address)
  }
}

/** RFC 6750 §2.1. Anything else would stand, whole, in the error of whoever refuses it as a header. */
const bearerToken = /^[\w.~+/-]+=*$/

/** @throws {ServiceError} `config_invalid` for a file that is missing, open to others, or no token. */
async function readToken(file: string): Promise<Secret> {
  const bytes = await readMountedSecret(file, tokenBytesMax)
  const token = Buffer.from(bytes).toString('latin1').trim()
  bytes.fill(0)
  if (bearerToken.test(token)) return new Secret(utf8(token))
  const message = `${file} is not a token: put the token alone in it, on one line`
  throw new ServiceError('config_invalid', message)
}
