import type { LeftBehind } from '../service/left-behind.ts'

/** What a human is to do about keys that are in a vault and are no version. */
export function leftBehindLines(left: readonly LeftBehind[]): readonly string[] {
  return left.map(({ version, intent, resource }) => {
    const tag = `the tag chancery:intent=${intent}`
    if (resource === undefined) {
      return `${version} was interrupted, and the vault may have its key, with ${tag}: run the same command again`
    }
    return `${version} is no version, and its key is in the vault: ${resource}, with ${tag}. Look at it there, delete it, then \`chancery confirm ${version} --deleted\``
  })
}

export function leftBehindDocument(left: readonly LeftBehind[]): readonly object[] {
  return left.map((one) => ({ ...one, resource: one.resource ?? null }))
}
