import { createRemoteJWKSet, jwtVerify } from 'jose'
import { z } from 'zod'
import type { Answer } from './caller.ts'
import { load } from './load.ts'
import type { Program } from './program.ts'
import type { Stage } from './stopping.ts'

const rotated = z.object({
  steps: z.array(z.object({ version: z.string(), step: z.string() })),
  failures: z.array(z.unknown()),
})

/** Enough to see that the old version signs no more, and the new one does. */
const signaturesAfter = 16

/** Each run goes on with what the last one waited for, as a timer would run it. */
const runsMax = 8

/**
 * Replaces the version of a key that verifiers know while it signs. Every token is verified against what the
 * registry lists when it is issued.
 *
 * @returns the JWTs that the caller received.
 */
export async function rotateUnderLoad(
  { program, app, checks, now }: Stage,
  jwks: string,
): Promise<readonly string[]> {
  checks.title('A rotation under load, every token verified against the registry of its moment')
  const kids: (string | undefined)[] = []
  const run = { isOver: false, after: 0 }
  const sign = async () => {
    const answer = await app.sign('blog', { claims: {} })
    kids.push(await verifiedKid(jwks, answer))
    if (run.isOver) run.after += 1
    return answer
  }
  const rotating = rotate(program).finally(() => (run.isOver = true))
  const [asked, active] = await Promise.all([
    load(sign, now, () => run.isOver && run.after >= signaturesAfter),
    rotating,
  ])
  const failed = asked.filter(({ answer }) => answer.status !== 200).length
  const verified = kids.filter((kid) => kid !== undefined).length
  checks.check(active === 'blog@2', `rotate --now: ${active} signs, blog@1 stays published`)
  checks.check(failed === 0, `signatures asked: ${asked.length}, failed: ${failed}`)
  checks.check(
    verified === asked.length && new Set(kids).size === 2,
    `verified: ${verified}, by ${new Set(kids).size} versions`,
  )
  return asked.flatMap(({ answer }) => answer.body.jwt ?? [])
}

/** @returns the version that signs now. */
async function rotate(program: Program): Promise<string | undefined> {
  for (let i = 0; i < runsMax; i += 1) {
    const now = i === 0 ? ['--now'] : []
    const { json } = await program.run(['rotate', 'blog', ...now])
    const activated = rotated.parse(json).steps.find(({ step }) => step === 'activated')
    if (activated) return activated.version
  }
  return undefined
}

/** Nothing is kept from one token to the next: the registry is asked again. */
async function verifiedKid(jwks: string, { body }: Answer): Promise<string | undefined> {
  try {
    const keys = createRemoteJWKSet(new URL(jwks))
    const { protectedHeader } = await jwtVerify(body.jwt ?? '', keys, { algorithms: ['RS256'] })
    return protectedHeader.kid
  } catch {
    return undefined
  }
}
