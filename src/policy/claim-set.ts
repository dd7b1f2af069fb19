import type { Json, JsonObject } from '../lib/json.ts'

/** CONTRACT §1.1: bounds on a claim set, before anything is serialised or signed. */
const membersMax = 64
const nameCharactersMax = 64
const depthMax = 8
const stringBytesMax = 2_048

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * What is wrong with a claim set, as path and message without any of its values; undefined when it
 * is within bounds. Numbers are safe integers: verifiers disagree on every other number.
 */
export function claimSetComplaint(
  claims: JsonObject,
): { readonly path: string; readonly message: string } | undefined {
  return complaint(claims, [], 1)
}

type Complaint = { readonly path: string; readonly message: string }

function complaint(value: Json, path: readonly string[], depth: number): Complaint | undefined {
  const refuse = (message: string) => ({ path: path.join('.'), message })
  if (typeof value === 'string') return textComplaint(value, refuse)
  if (typeof value === 'number') {
    const plain = Number.isSafeInteger(value) && !Object.is(value, -0)
    return plain ? undefined : refuse('numbers are safe integers')
  }
  if (typeof value !== 'object' || value === null) return undefined
  if (depth > depthMax) return refuse(`at most ${depthMax} levels deep`)
  const members = Object.entries(value)
  const tooMany = !Array.isArray(value) && members.length > membersMax
  if (tooMany) return refuse(`at most ${membersMax} members`)
  for (const [name, member] of members) {
    // A name is the caller's text: it is told by its place, never echoed.
    if (name.length > nameCharactersMax)
      return refuse(`names have at most ${nameCharactersMax} characters`)
    if (!name.isWellFormed()) return refuse('a name is not well-formed Unicode')
    const found = complaint(member, [...path, name], depth + 1)
    if (found) return found
  }
  return undefined
}

function textComplaint(
  text: string,
  refuse: (message: string) => Complaint,
): Complaint | undefined {
  if (!text.isWellFormed()) return refuse('not well-formed Unicode')
  const fits = Buffer.byteLength(text) <= stringBytesMax
  return fits ? undefined : refuse(`strings have at most ${stringBytesMax} bytes`)
}
