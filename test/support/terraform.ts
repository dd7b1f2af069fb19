import { spawn, spawnSync } from 'node:child_process'
import { cpSync, globSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import type { Cloud } from '../../terraform/testing/cloud.ts'
import { offlineProvider } from '../../terraform/testing/offline-provider.ts'
import { committedSchema } from '../../terraform/testing/schema.ts'
import { type Finished, finished } from './chancery.ts'
import { longestMs } from './longest.ts'

export const terraformFolder = resolve(import.meta.dirname, '../../terraform')

/** The folders of `terraform/` that are initialised by themselves: each says which versions it takes. */
export function rootsIn(...folders: readonly string[]): readonly string[] {
  const found = folders.flatMap((folder) =>
    globSync(`${folder}/**/versions.tf`, { cwd: terraformFolder }),
  )
  return found.map((file) => dirname(file)).toSorted()
}

/** Why nothing of Terraform is tested on this machine; undefined where it is installed. */
export const noTerraform = absent('terraform', 'version')

/** Why commands of its documents are not: they pick values out of what it prints. */
export const noRunbooks = noTerraform ?? absent('jq', '--version')

function absent(program: string, argument: string): string | undefined {
  return spawnSync(program, [argument]).error && `${program} is not on the PATH`
}

export interface Workspace extends AsyncDisposable {
  /** A copy of `terraform/`: what Terraform writes down stays out of the repository. */
  readonly root: string
  /** Of a process that runs Terraform by itself. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly run: (folder: string, args: readonly string[]) => Promise<Finished>
  /** Its stdout. @throws when it fails. */
  readonly done: (folder: string, args: readonly string[]) => Promise<string>
  /** Another copy, with what Terraform has written into this one so far. */
  readonly copy: () => { readonly root: string; readonly remove: () => void }
}

/** Terraform with both providers in this process, and no way to any network. */
export async function workspace(cloud?: Cloud): Promise<Workspace> {
  const directory = mkdtempSync(join(tmpdir(), 'chancery-terraform-'))
  const root = join(directory, 'terraform')
  cpSync(terraformFolder, root, { recursive: true })
  const providers = [
    await offlineProvider(committedSchema('aws'), cloud),
    await offlineProvider(committedSchema('azurerm'), cloud),
  ]
  const env = environment(directory, Object.assign({}, ...providers.map((one) => one.reattach)))
  const run: Workspace['run'] = (folder, args) => {
    const child = spawn('terraform', args, { cwd: resolve(root, folder), env, timeout: longestMs })
    child.stdin.end()
    return finished(child)
  }
  let copies = 0
  return {
    root,
    env,
    run,
    async done(folder, args) {
      const { exitCode, stdout, stderr } = await run(folder, args)
      if (exitCode === 0) return stdout
      throw new Error(`terraform ${args.join(' ')} in ${folder}: ${exitCode}\n${stdout}${stderr}`)
    },
    copy() {
      const to = join(directory, `copy-${(copies += 1)}`)
      cpSync(root, to, { recursive: true })
      return { root: to, remove: () => rmSync(to, { recursive: true }) }
    },
    async [Symbol.asyncDispose]() {
      for (const provider of providers) await provider[Symbol.asyncDispose]()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** Nothing of the test's own environment: no `TF_CLI_CONFIG_FILE`, no cache of plugins, no credentials. */
function environment(home: string, reattach: object) {
  return {
    PATH: process.env['PATH'],
    HOME: home,
    CHECKPOINT_DISABLE: '1',
    // Hundreds of short commands: collecting garbage less often takes a third off their work.
    GOGC: '800',
    TF_IN_AUTOMATION: '1',
    TF_INPUT: '0',
    TF_REATTACH_PROVIDERS: JSON.stringify(reattach),
    // Whatever would be fetched is not.
    HTTP_PROXY: 'http://127.0.0.1:1',
    HTTPS_PROXY: 'http://127.0.0.1:1',
  }
}
