import { access, mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { Caller } from './caller.ts'
import type { Checks } from './checks.ts'
import { clientId } from './configuration.ts'
import { askGithub, generateGithubKey, type GithubKey } from './github.ts'
import { generatePortalKey, isPortalToken, type PortalKey, sdkToken } from './portal.ts'
import type { Program } from './program.ts'

/** Keys that others make, and where a browser would have put the files. */
export type Downloads = {
  readonly github: GithubKey
  readonly pemFile: string
  /** Of another app, taken for this one. */
  readonly wrongPemFile: string
  readonly portal: PortalKey
}

type Line = readonly [isGood: boolean, line: string]

/** Of one device; the portal's SDK says what it is. */
const device = '3f0c9a51'

/** A command that ended otherwise than it should prints another document: then these are absent. */
const refused = z.object({
  error: z.object({ issues: z.array(z.object({ message: z.string() })) }).optional(),
})
const imported = z.object({
  version: z.string().optional(),
  state: z.string().optional(),
  custody: z.string().optional(),
  compared: z.array(z.string()).optional(),
  sourceDeleted: z.boolean().optional(),
})

/** Only their user may read them, else `import` refuses them. */
export async function download(directory: string): Promise<Downloads> {
  await mkdir(directory)
  const [github, other] = await Promise.all([generateGithubKey(), generateGithubKey()])
  const pemFile = join(directory, 'acme-bot.private-key.pem')
  const wrongPemFile = join(directory, 'another-bot.private-key.pem')
  await Promise.all([
    writeFile(pemFile, github.pem, { mode: 0o600 }),
    writeFile(wrongPemFile, other.pem, { mode: 0o600 }),
  ])
  return { github, pemFile, wrongPemFile, portal: generatePortalKey() }
}

/** The file of another app, against what this app's page shows: nothing may come of it. */
export async function importWrongFile(
  program: Program,
  vaultDirectory: string,
  { github, wrongPemFile }: Downloads,
): Promise<readonly Line[]> {
  const { exitCode, json } = await program.run(importPem(wrongPemFile, github))
  const uploaded = (await readdir(vaultDirectory)).filter((name) => name.startsWith('bot'))
  const { error } = refused.parse(json)
  const words = (error?.issues ?? []).map(({ message }) => message).join()
  return [
    [
      exitCode === 3 && words.startsWith(`expected ${github.fingerprint}, and the key has SHA256:`),
      `import bot, with the file of another app: exit ${exitCode}, ${words}`,
    ],
    [uploaded.length === 0, 'nothing of it is in the vault'],
  ]
}

/** As the teams of both systems would: what their dashboards show, and the files that they got. */
export async function importKeys(
  program: Program,
  { github, pemFile, portal }: Downloads,
  checks: Checks,
): Promise<void> {
  const bot = await program.run([...importPem(pemFile, github), '--delete-source'])
  const fromGithub = imported.parse(bot.json)
  checks.check(
    bot.exitCode === 0 && fromGithub.state === 'active' && fromGithub.compared?.join() === 'github',
    `import ${fromGithub.version}: the PEM of a GitHub App, compared with ${github.fingerprint}; ${fromGithub.state}, ${fromGithub.custody}`,
  )
  const isDeleted = fromGithub.sourceDeleted === true && (await isGone(pemFile))
  checks.check(isDeleted, 'and its file is deleted')

  const { keyId, secret } = portal
  const sdk = await program.run(['import', 'face-sdk', '--secret', '-', '--key-id', keyId], secret)
  const fromPortal = imported.parse(sdk.json)
  checks.check(
    sdk.exitCode === 0 && fromPortal.state === 'active',
    `import ${fromPortal.version}: the secret of ${keyId}, from stdin; ${fromPortal.state}, ${fromPortal.custody}`,
  )
}

/** @returns the JWTs that the caller received. */
export async function signImported(
  app: Caller,
  { github, portal }: Downloads,
  checks: Checks,
  now: () => number,
): Promise<readonly string[]> {
  checks.title('Tokens by imported keys, verified by those who made the keys')
  const input = sdkToken(portal.keyId, device)
  const [bot, sdk] = await Promise.all([
    app.sign('bot', { claims: {} }),
    app.sign('face-sdk', { signingInput: input }),
  ])
  const [ofBot = '', ofSdk = ''] = [bot.body.jwt, sdk.body.jwt]
  const answer = await askGithub(ofBot, github, { clientId, nowMs: now() })
  const ofGithub =
    answer.verdict === 'taken'
      ? `as GitHub takes it: iat ${answer.agoS} s ago, exp in ${answer.aheadS} s`
      : `which GitHub refuses: ${answer.why}`
  checks.check(
    answer.verdict === 'taken',
    `bot: RS256 JWT of iss ${clientId} without a kid, ${ofGithub}`,
  )
  checks.check(
    (await isPortalToken(ofSdk, portal, device)) && ofSdk === `${input}.${sdk.body.signature}`,
    `face-sdk: HS256 JWT of key_id ${portal.keyId} for the device ${device}, signed as it came, verified with the secret`,
  )
  const { secret } = generatePortalKey()
  checks.check(
    !(await isPortalToken(ofSdk, { ...portal, secret }, device)),
    'and with another secret it does not verify',
  )
  return [ofBot, ofSdk]
}

function importPem(file: string, { fingerprint }: GithubKey): readonly string[] {
  return ['import', 'bot', '--pem', file, '--expect', `github=${fingerprint}`]
}

async function isGone(file: string): Promise<boolean> {
  return access(file).then(
    () => false,
    () => true,
  )
}
