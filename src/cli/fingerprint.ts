import { fingerprintOf, fingerprintsOfFile } from '../service/fingerprint-file.ts'
import { readInput } from './input.ts'
import type { Context } from './context.ts'

/** Needs no configuration: it looks at the file and nothing else. */
export async function fingerprint(
  { output }: Context,
  file: string,
  format: string | undefined,
): Promise<void> {
  const { kind, fingerprints } = fingerprintsOfFile(await readInput(file))
  if (format !== undefined) {
    const value = fingerprintOf(fingerprints, format)
    output.result([value], { fingerprints: { [format]: value } })
    return
  }
  const lines = Object.entries(fingerprints).map(([name, value]) => `${name.padEnd(16)} ${value}`)
  output.result([kind, ...lines], { fingerprints })
}
