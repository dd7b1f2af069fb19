import type { Context } from '../../src/cli/context.ts'
import type { Host, Job } from '../../src/cli/host.ts'

/** What a command made of what its job told it: the text and the document, of which a user sees one. */
export type Told = {
  readonly exitCode: unknown
  readonly lines: readonly string[]
  readonly document: unknown
}

/** What most commands ask of a job, and a revocation of the program itself. */
type Verbs = Job & Pick<Host, 'revoke'>

/** Runs a command where these verbs do what is given, and the others nothing. */
export async function told(
  part: Partial<Verbs>,
  command: (context: Context) => Promise<unknown>,
): Promise<Told> {
  const results: Omit<Told, 'exitCode'>[] = []
  const output = {
    json: false,
    result: (lines: readonly string[], document: object) => void results.push({ lines, document }),
    text: () => notExpected(),
    progress: () => notExpected(),
  }
  const exitCode = await command({ host: hostOf({ ...noVerbs, ...part }), output, configFile: '' })
  const [result] = results
  if (!result || results.length > 1) throw new Error(`${results.length} results`)
  return { exitCode, ...result }
}

function notExpected(): never {
  throw new Error('nobody asked for this')
}

const notAsked = async (): Promise<never> => notExpected()

const noVerbs: Verbs = {
  listKeys: notAsked,
  publicForms: notAsked,
  terraform: notAsked,
  orphans: async () => [],
  catalogued: notAsked,
  clocks: () => [],
  checkCatalogue: notAsked,
  sync: notAsked,
  vaultFailures: notAsked,
  explain: notAsked,
  plan: notAsked,
  rotate: notAsked,
  import: notAsked,
  confirmFingerprint: notAsked,
  confirmDeleted: notAsked,
  tasks: notAsked,
  revoke: notAsked,
  suspend: notAsked,
  resume: notAsked,
  verifyAudit: notAsked,
  findInAudit: notAsked,
  [Symbol.asyncDispose]: async () => {},
}

function hostOf(verbs: Verbs): Host {
  return {
    openJob: async () => verbs,
    revoke: verbs.revoke,
    checkConfig: notAsked,
    configJsonSchema: notExpected,
    serve: notAsked,
    initVault: notAsked,
    rekeyVault: notAsked,
    init: notAsked,
    demo: notAsked,
    serveRegistry: notAsked,
    openRegistry: notAsked,
    newApiKey: notExpected,
  }
}
