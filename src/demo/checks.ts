/** Prints one line per check; every line is something that really ran. */
export class Checks {
  readonly #print: (line: string) => void
  #failed = 0
  #passed = 0

  constructor(print: (line: string) => void) {
    this.#print = print
  }

  title(text: string): void {
    this.#print(`\n${text}`)
  }

  /** @returns whether it holds. */
  check(holds: boolean, text: string): boolean {
    if (holds) this.#passed += 1
    else this.#failed += 1
    this.#print(`  ${holds ? 'ok  ' : 'FAIL'} ${text}`)
    return holds
  }

  note(text: string): void {
    this.#print(`       ${text}`)
  }

  /** The exit code of the demo. */
  finish(): number {
    this.#print(`\n${this.#passed} checks passed, ${this.#failed} failed`)
    return this.#failed === 0 ? 0 : 1
  }
}
