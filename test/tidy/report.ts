import { inside } from './map.ts'
import { functionsIn } from './size-rules.ts'
import { anysIn, castsIn } from './type-rules.ts'
import type { SourceFile } from './parse.ts'

/** The figures of STYLE §1 in one line: reported, because only the maximum is a rule. */
export function report(all: readonly SourceFile[]): string {
  const files = all.filter(({ path }) => inside(path, ['src/', 'providers/']))
  const functions = files.flatMap(functionsIn).filter(({ hasBlock }) => hasBlock)
  const anys = files.flatMap(anysIn).length
  const casts = files.flatMap(castsIn).length
  return [
    `tidy: ${spread('files', files)}`,
    spread('functions', functions),
    `any ${anys}, as ${casts}`,
  ].join('; ')
}

function spread(what: string, items: readonly { readonly lines: number }[]): string {
  const sorted = items.map(({ lines }) => lines).toSorted((one, other) => one - other)
  const at = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1] ?? 0
  return `${items.length} ${what}, lines median ${at(0.5)} p90 ${at(0.9)} max ${at(1)}`
}
