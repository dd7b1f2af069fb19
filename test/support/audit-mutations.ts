import * as fc from 'fast-check'
import { chainRoot, type Link, link } from '../../src/audit/chain.ts'
import { quotesIn } from './audit-history.ts'

/** What somebody who can write to the database might do to an audit. */

/** Three numbers by which a change picks its victims. */
export type Dice = readonly [number, number, number]
export const dice: fc.Arbitrary<Dice> = fc.tuple(fc.nat(), fc.nat(), fc.nat())

/** The rows after it, each place once; undefined where there is nothing to do it to. */
export type Mutation = (links: readonly Link[], dice: Dice) => readonly Link[] | undefined

const pick = <T>(from: readonly T[], die: number): T | undefined => from[die % from.length]

const at = (links: readonly Link[], { writer, seq }: Place) =>
  links.find((one) => one.writer === writer && one.seq === seq)

type Place = { readonly writer: string; readonly seq: number }

const isSame = (one: Place, other: Place) => one.writer === other.writer && one.seq === other.seq

function chainOf(links: readonly Link[], { writer }: Pick<Link, 'writer'>): readonly Link[] {
  return links.filter((one) => one.writer === writer)
}

const replace = (links: readonly Link[], victim: Link, by: Partial<Link>) =>
  links.map((one) => (one === victim ? { ...one, ...by } : one))

const without = (links: readonly Link[], victims: readonly Link[]) =>
  links.filter((one) => !victims.includes(one))

/** Makes room in a chain, or closes a gap. */
const shifted = (links: readonly Link[], { writer, seq }: Place, by: number) =>
  links.map((one) =>
    one.writer === writer && one.seq >= seq ? { ...one, seq: one.seq + by } : one,
  )

const inserted = (links: readonly Link[], row: Link) => [...shifted(links, row, 1), row]

/** Seen by the chain itself or by a quote: something stands behind it, or names it. */
function isCovered(links: readonly Link[], victim: Link): boolean {
  const isFollowed = at(links, { ...victim, seq: victim.seq + 1 }) !== undefined
  return isFollowed || quotesIn(links).some((quote) => isSame(quote, victim))
}

const covered = (links: readonly Link[]) => links.filter((one) => isCovered(links, one))

/** The records of which a later one, or a quote, tells; and of each writer the last that is quoted. */
const lastQuoted = (links: readonly Link[]) => {
  const quotes = quotesIn(links)
  return links.filter(
    (one) =>
      quotes.some((quote) => isSame(quote, one)) &&
      !quotes.some(({ writer, seq }) => writer === one.writer && seq > one.seq),
  )
}

/** From this record on, as somebody who knows the rules would write it. */
function rewrittenFrom(links: readonly Link[], victim: Link, body: string): readonly Link[] {
  let hash = at(links, { ...victim, seq: victim.seq - 1 })?.hash ?? chainRoot
  return links.map((one) => {
    if (one.writer !== victim.writer || one.seq < victim.seq) return one
    const text = one === victim ? body : one.body
    hash = link(hash, text)
    return { ...one, body: text, hash }
  })
}

function edited(body: string, [, place, letter]: Dice): string {
  const position = place % body.length
  const old = body.charAt(position)
  const alphabet = 'abcXYZ019"{}:, é'.split('').filter((one) => one !== old)
  return body.slice(0, position) + (pick(alphabet, letter) ?? '') + body.slice(position + 1)
}

const forgedBody = (body: string) => body.replace('"at":', '"at":9')

/** Each must be seen without any help from outside. */
export const mutations: Readonly<Record<string, Mutation>> = {
  'one letter of a body is edited': (links, thrown) => {
    const victim = pick(links, thrown[0])
    return victim && replace(links, victim, { body: edited(victim.body, thrown) })
  },
  'a letter is put in or left out': (links, [die, place, kind]) => {
    const victim = pick(links, die)
    if (!victim) return undefined
    const { body } = victim
    const position = place % body.length
    const rest = body.slice(position + (kind % 2))
    return replace(links, victim, { body: body.slice(0, position) + (kind % 2 ? '' : ' ') + rest })
  },
  'a hash is edited': (links, [die, place, kind]) => {
    const victim = pick(links, die)
    if (!victim) return undefined
    const hash = new Uint8Array(victim.hash)
    const position = place % hash.length
    hash[position] = (hash[position] ?? 0) ^ (1 << (kind % 8))
    return replace(links, victim, { hash: kind % 9 ? hash : hash.slice(1) })
  },
  'a body is edited and its own hash put right': (links, thrown) => {
    const victim = pick(covered(links), thrown[0])
    if (!victim) return undefined
    const body = edited(victim.body, thrown)
    const previous = at(links, { ...victim, seq: victim.seq - 1 })?.hash ?? chainRoot
    return replace(links, victim, { body, hash: link(previous, body) })
  },
  'a record is deleted': (links, [die]) => {
    const victim = pick(covered(links), die)
    return victim && without(links, [victim])
  },
  'a record is deleted and the gap closed': (links, [die]) => {
    const victim = pick(covered(links), die)
    return victim && shifted(without(links, [victim]), victim, -1)
  },
  'two records of a writer change places': (links, [die, other]) => {
    const one = pick(links, die)
    const two = one && pick(chainOf(without(links, [one]), one), other)
    return one && two && swapped(links, one, two)
  },
  'two records of two writers change places': (links, [die, other]) => {
    const one = pick(links, die)
    const two = one && pick(without(links, chainOf(links, one)), other)
    return one && two && swapped(links, one, two)
  },
  'a copy of a record is put in': (links, [die, place]) => {
    const [copied, before] = [pick(links, die), pick(links, place)]
    return copied && before && inserted(links, { ...copied, ...placeOf(before) })
  },
  'a copy of a record is put at the end': (links, [die, place]) => {
    const [copied, one] = [pick(links, die), pick(links, place)]
    const last = one && chainOf(links, one).at(-1)
    return copied && last && [...links, { ...copied, writer: last.writer, seq: last.seq + 1 }]
  },
  'a forged record is put in, linked to the one before it': (links, [die]) => {
    const before = pick(links, die)
    if (!before) return undefined
    const previous = at(links, { ...before, seq: before.seq - 1 })?.hash ?? chainRoot
    const body = forgedBody(before.body)
    return inserted(links, { ...placeOf(before), body, hash: link(previous, body) })
  },
  'a record gets a number that is free': (links, [die, far]) => {
    const victim = pick(links, die)
    if (!victim) return undefined
    return replace(links, victim, { seq: chainOf(links, victim).length + 2 + (far % 9) })
  },
  'all numbers from a record on are moved': (links, [die, far]) => {
    const victim = pick(links, die)
    return victim && shifted(links, victim, 1 + (far % 9))
  },
  'a record is moved to another writer': (links, [die, place]) => {
    const victim = pick(links, die)
    if (!victim) return undefined
    const rest = shifted(without(links, [victim]), victim, -1)
    const before = pick(without(rest, chainOf(rest, victim)), place)
    return before && inserted(rest, { ...victim, ...placeOf(before) })
  },
  'a writer gets another name': (links, [die, name]) => {
    const victim = pick(links, die)
    const writer = `${name}`.padStart(26, 'Z')
    return victim && links.map((one) => (one.writer === victim.writer ? { ...one, writer } : one))
  },
  'a whole writer that is quoted is deleted': (links, [die]) => {
    const victim = pick(lastQuoted(links), die)
    return victim && without(links, chainOf(links, victim))
  },
  'a writer is cut before what is quoted of it': (links, [die, cut]) => {
    const victim = pick(lastQuoted(links), die)
    if (!victim) return undefined
    const from = 1 + (cut % victim.seq)
    return without(links, chainOf(links, victim).slice(from - 1))
  },
  'a writer is rewritten by the rules, up to and past what is quoted of it': (
    links,
    [die, from],
  ) => {
    const quoted = pick(lastQuoted(links), die)
    const victim = quoted && at(links, { ...quoted, seq: 1 + (from % quoted.seq) })
    return victim && rewrittenFrom(links, victim, forgedBody(victim.body))
  },
}

function placeOf({ writer, seq }: Place): Place {
  return { writer, seq }
}

function swapped(links: readonly Link[], one: Link, two: Link): readonly Link[] {
  return links.map((link_) => {
    if (link_ === one) return { ...two, ...placeOf(one) }
    return link_ === two ? { ...one, ...placeOf(two) } : link_
  })
}

/** What nothing inside an audit can tell: it could have been so. Seen against an earlier report. */
export const cleanCuts: Readonly<Record<string, Mutation>> = {
  'the tail of a writer is cut that nobody has quoted': (links, [die]) => {
    const victim = pick(unquoted(links), die)
    return victim && without(links, chainOf(links, victim).slice(victim.seq - 1))
  },
  'a writer that nobody has quoted is deleted': (links, [die]) => {
    const firsts = unquoted(links).filter(({ seq }) => seq === 1)
    const victim = pick(firsts, die)
    return victim && without(links, chainOf(links, victim))
  },
  'the tail of a writer is rewritten by the rules that nobody has quoted': (links, [die]) => {
    const victim = pick(unquoted(links), die)
    return victim && rewrittenFrom(links, victim, forgedBody(victim.body))
  },
  'everything is deleted': (links) => (links.length > 0 ? [] : undefined),
}

/** Past all that is quoted of its writer. */
function unquoted(links: readonly Link[]): readonly Link[] {
  const quotes = quotesIn(links)
  return links.filter(
    (one) => !quotes.some(({ writer, seq }) => writer === one.writer && seq >= one.seq),
  )
}

/** In the order in which the store reads them. */
export function inOrder(links: readonly Link[]): readonly Link[] {
  return links.toSorted((a, b) =>
    a.writer === b.writer ? a.seq - b.seq : a.writer < b.writer ? -1 : 1,
  )
}
