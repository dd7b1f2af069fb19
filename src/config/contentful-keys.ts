import type { Key } from '../keys/key.ts'
import type { Complaints } from './complaints.ts'
import type { RegistryEntry } from './schema.ts'

/** https://www.contentful.com/developers/docs/extensibility/app-framework/app-keys/ makes them of this size. */
const modulusBitsMin = 4_096

/** What Contentful itself would refuse, long after `config check`; the embedded registry takes more. */
export function checkContentfulKeys(
  keys: ReadonlyMap<string, Key>,
  registries: ReadonlyMap<string, RegistryEntry>,
  complaints: Complaints,
): void {
  for (const [name, { registry, profile, modulusBits = 0, algorithm }] of keys) {
    if (registry?.kind !== 'app') continue
    if (registries.get(registry.registry)?.type !== 'contentful') continue
    const complain = (member: string, message: string) =>
      complaints.add(['keys', name, member], message)
    if (profile?.name !== 'contentful-app') {
      complain('profile', 'a registry of type contentful needs profile contentful-app')
    } else if (profile.issuer !== registry.app) {
      complain('profile', `Contentful needs the app as the issuer: issuer: ${registry.app}`)
    }
    if (algorithm.name === 'RS256' && modulusBits < modulusBitsMin) {
      complain('modulusBits', `Contentful takes keys of ${modulusBitsMin} bits: remove modulusBits`)
    }
  }
}
