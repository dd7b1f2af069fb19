import { lineAt, type SourceFile } from './parse.ts'

/** What a rule saw, at an offset, and what to do instead. */
export type Finding = { readonly at: number; readonly fix: string }

export type Violation = {
  readonly path: string
  readonly line: number
  readonly rule: string
  readonly fix: string
}

export type Rule = {
  readonly name: string
  /** Pure, over all files at once: a cycle is a property of the tree. */
  readonly find: (files: readonly SourceFile[]) => readonly Violation[]
}

export function ruleOfFile(name: string, find: (file: SourceFile) => readonly Finding[]): Rule {
  return {
    name,
    find: (files) => files.flatMap((file) => find(file).map((found) => at(name, file, found))),
  }
}

export function at(rule: string, file: SourceFile, finding: Finding): Violation {
  return { path: file.path, line: lineAt(file, finding.at), rule, fix: finding.fix }
}

export function printed({ path, line, rule, fix }: Violation): string {
  return `${path}:${line} ${rule}: ${fix}`
}
