import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { credentialId } from '../../src/lib/credential.ts'
import { createApp, createToken } from '../../src/registry/server/desk.ts'
import { register } from '../../src/registry/server/register.ts'
import { openRegistryStore } from '../../src/registry/server/store/store.ts'
import { fingerprints } from '../../src/signing/fingerprint.ts'
import { publicKeyFromSpki } from '../../src/signing/public-key.ts'
import { type Bench, interleaved } from './bench.ts'
import { firstLine, startNode, stop } from './child.ts'
import { loadFigures } from './closed.ts'
import { putLoad, type Target } from './load.ts'
import type { LoadResult } from './load-job.ts'
import type { Program } from './program.ts'
import type { Figure, Outcome } from './report.ts'
import { jwksSubjects } from './subjects.ts'

const keysPerApp = 3
const organization = 'acme'
const listening = z.object({ url: z.url() })

type Registry = AsyncDisposable & { readonly target: Target }

/** What verifiers cost the embedded registry, which computes a JWKS anew for each of them. */
export async function measureJwks(bench: Bench): Promise<Outcome> {
  const failures: Outcome['failures'][number][] = []
  await using registries = new AsyncDisposableStack()
  const targets = new Map<string, Target>()
  for (const { name, apps } of jwksSubjects) {
    targets.set(name, registries.use(await startRegistry(bench.program, apps)).target)
  }
  const { rounds, seconds } = bench.options
  const measured = await interleaved(jwksSubjects, rounds, failures, async ({ name }) => {
    const target = targets.get(name)
    if (!target) throw new Error(`${name} was not started`)
    return putLoad(target, seconds)
  })
  return { figures: [...measured].flatMap(([subject, all]) => figuresOf(subject, all)), failures }
}

function figuresOf(
  { name, label }: { readonly name: string; readonly label: string },
  rounds: readonly LoadResult[],
): readonly Figure[] {
  return rounds.length === 0 ? [] : loadFigures(name, label, rounds)
}

/** A registry of its own with so many apps; the first one's JWKS is asked for. */
async function startRegistry({ script }: Program, apps: number): Promise<Registry> {
  const directory = await mkdtemp(join(tmpdir(), 'chancery-bench-registry-'))
  const config = join(directory, 'registry.yaml')
  await writeFile(config, '{ listen: 127.0.0.1:0, sqlite: ./registry.db }\n')
  await fill(join(directory, 'registry.db'), apps)
  const args = [script, '--json', '--config', config, 'registry', 'serve']
  const child = startNode(args, { stdio: ['ignore', 'pipe', 'ignore'] })
  const line = await firstLine(child)
  if (line === undefined) throw new Error('registry serve ended before it listened')
  const port = Number(new URL(listening.parse(JSON.parse(line)).url).port)
  const path = '/apps/app-1/.well-known/jwks.json'
  const request = `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`
  return {
    target: { port, pid: child.pid, request },
    async [Symbol.asyncDispose]() {
      await stop(child)
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** By the registry's own functions: over HTTP its rate limit would make this take a minute. */
async function fill(file: string, apps: number): Promise<void> {
  await using store = await openRegistryStore(file)
  const deps = { store, actor: 'bench', now: 0 }
  const createdBy = credentialId('chr', await createToken(deps, organization, 'admin')) ?? ''
  for (let app = 1; app <= apps; app += 1) {
    const id = await createApp(deps, organization, `app-${app}`)
    for (let key = 0; key < keysPerApp; key += 1) await addKey(store, id, createdBy)
  }
}

async function addKey(
  store: Parameters<typeof register>[0],
  app: string,
  createdBy: string,
): Promise<void> {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const spki = new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }))
  const kid = fingerprints(publicKeyFromSpki(spki)).contentful
  const bearer = { id: createdBy, organization, role: 'admin' } as const
  const facts = { alg: 'ES256', shape: 'rfc7517', createdAt: 0, createdBy } as const
  const admission = await register(store, {
    bearer,
    key: { kid, spki, app, ...facts },
    maxKeys: keysPerApp,
  })
  if (admission !== 'admitted') throw new Error(`a key was not admitted: ${admission}`)
}
