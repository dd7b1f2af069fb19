import { readFile, writeFile } from 'node:fs/promises'
import { z } from 'zod'
import { awsEnvironment } from '../support/aws-vault.ts'
import { region } from '../support/fake-kms/keys.ts'
import type { Bench } from './bench.ts'
import { install, type Installation } from './installation.ts'
import { type Peer, startPeer } from './peer.ts'
import { runCommand } from './program.ts'
import { vaults } from './subjects.ts'

export type VaultName = keyof typeof vaults.behaviours

/** A vault of AWS's, as the bench has it behave. */
export type BenchVault = Peer & {
  readonly endpoint: string
  behave(change: { readonly delayMs?: number; readonly isDown?: boolean }): Promise<void>
}

export type VaultInstallation = AsyncDisposable & {
  readonly installation: Installation
  readonly vaults: Readonly<Record<VaultName, BenchVault>>
}

/** An installation whose keys are in three vaults of AWS's, one key in each and named as it is. */
export async function installVaults({ program }: Bench): Promise<VaultInstallation> {
  Object.assign(process.env, awsEnvironment) // for the commands and servers that are started from here
  await using started = new AsyncDisposableStack()
  const { behaviours } = vaults
  const [steady, troubled, limited] = await Promise.all(
    [behaviours.steady, behaviours.troubled, behaviours.limited].map(async (behaviour) =>
      started.use(benchVault(await startPeer('vault-server.ts', behaviour))),
    ),
  )
  if (!steady || !troubled || !limited) throw new TypeError('three behaviours are three vaults')
  const running = { steady, troubled, limited }
  const installation = started.use(await install(program))
  const { configFile } = installation
  await writeFile(configFile, extended(await readFile(configFile, 'utf8'), running))
  await runCommand(program, configFile, ['rotate'])
  const kept = started.move()
  return {
    installation,
    vaults: running,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

function benchVault(peer: Peer): BenchVault {
  const endpoint = `http://127.0.0.1:${peer.port}`
  return {
    ...peer,
    endpoint,
    async behave(change) {
      const response = await fetch(`${endpoint}/behaviour`, {
        method: 'POST',
        body: JSON.stringify(change),
      })
      if (!response.ok) throw new Error(`the vault's behaviour: ${response.status}`)
    },
    [Symbol.asyncDispose]: () => peer[Symbol.asyncDispose](),
  }
}

function extended(text: string, running: VaultInstallation['vaults']): string {
  const names = Object.entries(running)
  const limit = (name: string) => (name === 'limited' ? `, quota: ${vaults.quotaPerSecond}/s` : '')
  const vaultLines = names.map(
    ([name, { endpoint }]) =>
      `  ${name}: { provider: aws-kms, region: ${region}, endpoint: '${endpoint}'${limit(name)} }`,
  )
  const profile = '{ name: generic-jwt, issuer: https://bench.example }'
  const keyLines = names.map(
    ([name]) => `  in-${name}: { vault: ${name}, alg: ES256, profile: ${profile} }`,
  )
  const grantLines = names.map(
    ([name]) =>
      `  - { caller: first-caller, key: in-${name}, operations: [sign-claims], maxLifetime: 5m, ` +
      'claims: { sub: { prefix: "tenant:" } } }',
  )
  return `${text
    .replace('\nkeys:', `\n${vaultLines.join('\n')}\nkeys:\n${keyLines.join('\n')}`)
    .trimEnd()}\n${grantLines.join('\n')}\n`
}

const shown = z.object({ KeyMetadata: z.object({ Arn: z.string() }) })

/** One more key in a vault, for who signs with it past the service. */
export async function newKeyIn({ endpoint }: BenchVault): Promise<string> {
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/x-amz-json-1.1',
      'X-Amz-Target': 'TrentService.CreateKey',
    },
    body: JSON.stringify({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' }),
  })
  return shown.parse(await response.json()).KeyMetadata.Arn
}
