import type { KeyVersion } from './version.ts'

/**
 * The version that takes over at once when the one that signs is revoked: the oldest that verifiers can
 * know, and that nobody has suspended by name.
 *
 * @param versions of one key, oldest first.
 * @param facts.isPublishedFirst whether somebody has to know a version before it signs.
 * @param facts.isSuspended by its own flag: one of the key, or of everything, says nothing about it.
 */
export function standbyOf(
  versions: readonly KeyVersion[],
  facts: {
    readonly isPublishedFirst: boolean
    readonly isSuspended: (version: KeyVersion) => boolean
  },
): KeyVersion | undefined {
  const isReady = ({ state }: KeyVersion) =>
    state === 'published' || (state === 'created' && !facts.isPublishedFirst)
  return versions.find((version) => isReady(version) && !facts.isSuspended(version))
}
