import { z } from 'zod'
import { load, type Timed } from './load.ts'
import { publicJwkOf, verifies } from './signatures.ts'
import type { Caller } from './caller.ts'
import type { Checks } from './checks.ts'
import type { Program } from './program.ts'

const signaturesUnderLoad = 1_000

export type Stage = {
  readonly program: Program
  readonly app: Caller
  readonly checks: Checks
  readonly now: () => number
}

const stopped = z.object({ nothingAfter: z.iso.datetime() })

/** @returns the JWTs that the caller received. */
export async function signUnderLoad({
  program,
  app,
  checks,
  now,
}: Stage): Promise<readonly string[]> {
  checks.title('Signing under load')
  const startedMs = now()
  const asked = await load(app, now, (done) => done.length >= signaturesUnderLoad)
  const tookMs = now() - startedMs
  const jwk = await publicJwkOf(program, 'reports')
  const tokens = jwtsOf(asked)
  const verified = await Promise.all(tokens.map((jwt) => verifies(jwt, jwk)))
  const good = verified.filter((claims) => claims !== undefined).length
  const rate = Math.round((asked.length / tookMs) * 1_000)
  checks.check(
    good === asked.length,
    `asked ${asked.length}, failed ${asked.length - good}, every one verified; ${rate}/s with the load on the same cores`,
  )
  return tokens
}

/** Stops signing while requests come in, and shows when the last signature left. */
export async function stopUnderLoad(
  { program, app, checks, now }: Stage,
  command: readonly string[],
  expected: { readonly status: number; readonly code: string },
): Promise<readonly string[]> {
  let isOver = false
  const loading = load(app, now, () => isOver)
  const startedMs = now()
  const { exitCode, json } = await program.run([...command, '--reason', 'demo'])
  isOver = true
  const asked = await loading
  const nothingAfterMs = Date.parse(stopped.parse(json).nothingAfter)
  const refused = asked.filter(({ answer }) => answer.status === expected.status)
  const firstRefusedMs = Math.min(...refused.map(({ atMs }) => atMs))
  const late = asked.filter(({ answer, atMs }) => answer.status === 200 && atMs > nothingAfterMs)
  const name = command.join(' ')
  checks.check(
    exitCode === 0 && refused.length > 0,
    `${name}: first ${expected.status} ${refused[0]?.answer.body.code} ${firstRefusedMs - startedMs} ms after the command was typed`,
  )
  checks.check(
    late.length === 0,
    `of ${asked.length} answers, ${late.length} signatures after the promised instant`,
  )
  const { status, body } = await app.sign('reports', { claims: { sub: 'tenant:42' } })
  checks.check(
    status === expected.status && body.code === expected.code,
    `and from then on: ${status} ${body.code}`,
  )
  return jwtsOf(asked)
}

function jwtsOf(asked: readonly Timed[]): readonly string[] {
  return asked.flatMap(({ answer }) => answer.body.jwt ?? [])
}
