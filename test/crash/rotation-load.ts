import { setTimeout as sleep } from 'node:timers/promises'
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose'
import { z } from 'zod'
import type { FastClock } from '../support/fast-clock.ts'
import type { Publishing } from '../support/publishing.ts'
import { assertSeeded } from '../support/seeded.ts'
import type { Serving } from '../support/serving.ts'

/** What was seen of signatures while versions took turns. */
export type RotatedUnderLoad = {
  readonly signatures: number
  /** Versions that took over. */
  readonly rotations: number
  /** Answers that were no signature, and tokens that no key of the registry fits. */
  readonly failed: readonly string[]
  /** The most that the registry ever listed. */
  readonly slotsUsed: number
}

export type LoadOptions = {
  readonly key: string
  readonly clock: FastClock
  /** The least of each. */
  readonly signatures: number
  readonly rotations: number
}

/**
 * Tokens that one look at the registry is for, and callers at once: together fewer than a service takes of
 * one caller, however slow the machine is.
 */
const tokensAtOnce = 8
const callers = 6

/**
 * Has one version after the other take over as a timer's job would, while callers ask for signatures, of
 * one process after the other, and verify each by what the registry lists once they have it.
 */
export async function rotateUnderLoad(
  { home, jwksUrl }: Publishing,
  servings: readonly Serving[],
  { key, clock, signatures, rotations }: LoadOptions,
): Promise<RotatedUnderLoad> {
  const seen = { signatures: 0, rotations: 0, slotsUsed: 0, failed: new Array<string>() }
  const isOver = () =>
    seen.failed.length > 0 || (seen.signatures >= signatures && seen.rotations >= rotations)
  const caller = async (offset: number) => {
    for (let i = offset; !isOver(); i += 1) {
      const serving = servings[i % servings.length]
      const asked = Array.from({ length: tokensAtOnce }, () => issued(serving, key, clock))
      const tokens = await Promise.all(asked)
      const jwks = await listed(jwksUrl(key))
      seen.slotsUsed = Math.max(seen.slotsUsed, jwks.keys.length)
      const wrong = await Promise.all(tokens.map((token) => wrongIn(token, jwks)))
      seen.failed.push(...wrong.flatMap((one) => one ?? []))
      seen.signatures += tokens.length
    }
  }
  const job = async () => {
    while (!isOver()) {
      const { took, problem } = await rotate(home, clock)
      seen.rotations += took
      if (problem !== undefined) seen.failed.push(problem)
      await sleep(500)
    }
  }
  await Promise.all([job(), ...Array.from({ length: callers }, (_, i) => caller(i))])
  return seen
}

type Token = { readonly status: number; readonly text: string; readonly jwt: string; atMs: number }

async function issued(serving: Serving | undefined, key: string, clock: FastClock): Promise<Token> {
  const answer = await serving?.ask(key, { claims: { sub: 'tenant:42' } })
  const { status = 0, text = '', body } = answer ?? {}
  return { status, text, jwt: body?.jwt ?? '', atMs: clock.now() }
}

const jwksDocument = z.object({ keys: z.array(z.record(z.string(), z.unknown())) })

async function listed(url: string): Promise<JSONWebKeySet> {
  return jwksDocument.parse(await (await fetch(url)).json())
}

async function wrongIn(token: Token, jwks: JSONWebKeySet): Promise<string | undefined> {
  if (token.status !== 200) return `${token.status} ${token.text}`
  try {
    const currentDate = new Date(token.atMs)
    // Time has run on between the signature and its arrival, twenty times as fast.
    await jwtVerify(token.jwt, createLocalJWKSet(jwks), { currentDate, clockTolerance: '1m' })
    return undefined
  } catch (error) {
    return String(error)
  }
}

const report = z.object({ steps: z.array(z.object({ step: z.string() })) })

/** What is due, and the next takeover as soon as it can be: `--now` asks for one, and no second. */
async function rotate(home: Publishing['home'], clock: FastClock) {
  const ran = await home.json(['rotate', '--now'], clock.started())
  assertSeeded(ran)
  const { steps } = report.parse(ran.document)
  const took = steps.filter(({ step }) => step === 'activated').length
  const problem = ran.exitCode === 0 ? undefined : `rotate ends with ${ran.exitCode}: ${ran.stderr}`
  return { took, problem }
}
