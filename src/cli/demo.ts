import type { Context } from './context.ts'

/** The demo starts this program again, as its own user would. */
export async function demo({ host, output }: Context, keep: boolean): Promise<number> {
  const print = (line: string) => (output.json ? output.progress(line) : output.text(line))
  const exitCode = await host.demo(print, keep)
  if (output.json) output.text(JSON.stringify({ passed: exitCode === 0 }))
  return exitCode
}
