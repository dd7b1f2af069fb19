import { z } from 'zod'
import { load, type Timed } from './load.ts'
import { publicJwkOf, verifies } from './signatures.ts'
import type { Caller } from './caller.ts'
import type { Checks } from './checks.ts'
import type { Program } from './program.ts'

const signaturesUnderLoad = 500

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
  const sign = () => app.sign('reports', { claims: { sub: 'tenant:42' } })
  const asked = await load(sign, now, (done) => done.length >= signaturesUnderLoad)
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

/** What is stopped, and how that is answered. */
export type Stop = {
  readonly command: readonly string[]
  readonly key: string
  readonly claims: object
  readonly status: number
  readonly code: string
}

export type Stopped = {
  /** The JWTs that the caller received. */
  readonly tokens: readonly string[]
  readonly lines: readonly (readonly [isGood: boolean, line: string])[]
}

/** Stops signing while requests come in, and shows when the last signature left. */
export async function stopUnderLoad(
  { program, app, now }: Stage,
  { command, key, claims, status, code }: Stop,
): Promise<Stopped> {
  let isOver = false
  const sign = () => app.sign(key, { claims })
  const loading = load(sign, now, () => isOver)
  const startedMs = now()
  const { exitCode, json } = await program.run([...command, '--reason', 'demo'])
  isOver = true
  const asked = await loading
  const nothingAfterMs = Date.parse(stopped.parse(json).nothingAfter)
  const refused = asked.filter(({ answer }) => answer.status === status)
  const firstRefusedMs = Math.min(...refused.map(({ atMs }) => atMs))
  const late = asked.filter(({ answer, atMs }) => answer.status === 200 && atMs > nothingAfterMs)
  const after = await sign()
  return {
    tokens: jwtsOf(asked),
    lines: [
      [
        exitCode === 0 && refused.length > 0,
        `${command.join(' ')}: first ${status} ${refused[0]?.answer.body.code} ${firstRefusedMs - startedMs} ms after the command was typed`,
      ],
      [
        late.length === 0,
        `of ${asked.length} answers, ${late.length} signatures after the promised instant`,
      ],
      [
        after.status === status && after.body.code === code,
        `and from then on: ${after.status} ${after.body.code}`,
      ],
    ],
  }
}

function jwtsOf(asked: readonly Timed[]): readonly string[] {
  return asked.flatMap(({ answer }) => answer.body.jwt ?? [])
}
