/** A text that stands once in a source, and what stands there instead. */
export type Edit = { readonly file: string; readonly from: string; readonly to: string }

/** However the source is laid out: between words any white space is as good as any other. */
export function edited(source: string, { file, from, to }: Edit): string {
  const words = from
    .split(/\s+/)
    .map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`))
  const pattern = new RegExp(words.join(String.raw`\s+`), 'g')
  const { length } = [...source.matchAll(pattern)]
  if (length !== 1) throw new Error(`a seed no longer fits ${file}: ${length} × ${from}`)
  return source.replace(pattern, () => to)
}

/** The source of a module with these mistakes in it; no file is changed. */
export function withEdits(
  url: string,
  source: unknown,
  edits: readonly Edit[],
): string | undefined {
  const [path = ''] = url.split('?')
  const here = edits.filter(({ file }) => path.endsWith(`/${file}`))
  if (here.length === 0) return undefined
  if (!(source instanceof Uint8Array)) throw new Error(`${url} has no source in bytes`)
  return here.reduce(edited, Buffer.from(source).toString())
}
