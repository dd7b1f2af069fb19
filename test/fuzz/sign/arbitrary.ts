import * as fc from 'fast-check'
import type { Members } from '../../policy/matrix/case.ts'
import { type CallerName, now, wordsOf } from '../../policy/matrix/estate.ts'
import { goodHeader, goodPayload } from '../../policy/matrix/good.ts'
import { goodClaims, tokenNames } from '../../policy/matrix/variants.ts'
import type { Change, Changed } from './change.ts'

/**
 * A request that is good but for a few members, and then for a few letters: while there are no
 * changes of the text, the oracle knows the whole answer.
 */
export type Fuzzed = Changed & {
  readonly caller: CallerName
  readonly key: string
  /** Bytes that are no UTF-8, where a letter is not ASCII. */
  readonly isLatin: boolean
  /** Sent twice in one second, and looked at the second time. */
  readonly isRepeated: boolean
}

const words = (text: string): readonly string[] => text.split(' ')

const callers: readonly CallerName[] = [
  ...Array.from({ length: 12 }, () => 'both' as const),
  ...(['limited', 'split', 'hasty', 'claimer', 'presenter', 'anonymous'] as const),
  ...(['stranger', 'elsewhere'] as const),
]
const caller = fc.constantFrom(...callers)

/** Quick ones more often than RSA. */
const key = fc.constantFrom(
  ...words('reports reports assertion assertion face face face face mac mac documents bot blog'),
  'nobody-has-this',
)

const names = [
  ...words('alg typ kid crit b64 iss sub aud jti iat exp nbf role note repo'),
  ...words('key_id fingerprint constructor toString a'),
  '',
]

const texts = [
  ...words('tenant:42 reader writer 1234 https://reports.example https://acme.example'),
  ...words('client-1 https://as.example device-1 a-jti claims input JWT none ES256 EdDSA HS256'),
  ...words('RS256 kid-now kid-old id-second id-regenerated id-retired id-revoked'),
  '',
]
const seconds = [0, 60, -60, 65, 66, -66, 600, 601].map((offset) => now + offset)
const others: readonly unknown[] = [
  ...seconds,
  now * 1_000,
  0,
  1,
  -1,
  7,
  true,
  false,
  null,
  [],
  {},
  ['tenant:42'],
  { a: { a: [1, 'b'] } },
]
const known = fc.constantFrom<unknown>(...texts, ...others)
const value = fc.oneof(
  { arbitrary: known, weight: 8 },
  { arbitrary: fc.string({ unit: 'grapheme', maxLength: 24 }), weight: 2 },
  { arbitrary: fc.maxSafeInteger(), weight: 1 },
)
const sent = fc.option(value, { freq: 5, nil: undefined })
const tweaks = tweaksOf(fc.tuple(fc.constantFrom(...names), sent))
const headerValue = fc.constantFrom('JWT', 'ES256', 'none', 'kid-now', 'kid-old', '', 1, undefined)
const headerTweaks = tweaksOf(
  fc.tuple(fc.constantFrom('alg', 'typ', 'kid', 'kid', 'kid', 'crit'), headerValue),
)
const tokenName = fc.constantFrom(...tokenNames, ...Array.from({ length: 12 }, () => 'id-second'))

const form = fc.constantFrom('claims', 'signingInput', 'signingInput')
const once = (times: number) => fc.integer({ min: 1, max: times }).map((n) => n === 1)
const text = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.constantFrom('eyJhbGciOiJub25lIn0.e30', 'eyJhbGciOiJub25lIn0', 'hello.world', ''),
)

const position = fc.nat({ max: 400 })
const noise = fc.constantFrom(
  ...Array.from('"\\,:{}[] \n0-=.A_+\0\uFEFF\u00e9\u{1f600}'),
  ...words('.0 e1 // null {}'),
)
const where = fc.constantFrom('body', 'header', 'payload', 'payload', 'segments')
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ kind: fc.constant('insert'), where, at: position, noise }),
  fc.record({
    kind: fc.constant('delete'),
    where,
    at: position,
    length: fc.integer({ min: 1, max: 3 }),
  }),
  fc.record({ kind: fc.constant('space'), where, at: position }),
  fc.record({
    kind: fc.constantFrom('first', 'last'),
    where,
    name: fc.constantFrom(...names),
    value: known,
  }),
  fc.record({ kind: fc.constant('escape'), where, name: fc.constantFrom(...names) }),
)
const changes = fc.oneof(
  { arbitrary: fc.constant([]), weight: 3 },
  { arbitrary: fc.array(change, { minLength: 1, maxLength: 2 }), weight: 4 },
)

export const fuzzed: fc.Arbitrary<Fuzzed> = fc
  .record({
    caller,
    key,
    form,
    bytesForm: fc.constantFrom('message', 'digest'),
    digestBytes: fc.constantFrom(32, 32, 32, 0, 31, 33, 48, 64),
    header: headerTweaks,
    payload: tweaks,
    tokenName,
    text,
    changes,
    isLatin: once(20),
    isRepeated: once(4),
    isOfOtherPurpose: once(20),
  })
  .map(({ form: asked, isOfOtherPurpose, ...parts }) => {
    const isBytes = wordsOf(parts.key)?.profile === undefined
    const ask = askOf(isBytes === isOfOtherPurpose ? asked : parts.bytesForm, parts)
    const { caller: by, key: on, changes: made, isLatin, isRepeated } = parts
    return { caller: by, key: on, ask, changes: made, isLatin, isRepeated }
  })

/** Mostly none. */
function tweaksOf<T>(tweak: fc.Arbitrary<T>): fc.Arbitrary<readonly T[]> {
  const some = fc.array(tweak, { minLength: 1, maxLength: 3 })
  return fc.oneof({ arbitrary: fc.constant([]), weight: 5 }, { arbitrary: some, weight: 4 })
}

type Tweaks = readonly (readonly [name: string, value: unknown])[]
type Parts = {
  readonly key: string
  readonly header: Tweaks
  readonly payload: Tweaks
  readonly text: string
  readonly digestBytes: number
  /** The `key_id` of a token that names its version. */
  readonly tokenName: unknown
}

function askOf(asked: string, parts: Parts): Fuzzed['ask'] {
  const { key: on, header, payload, text: message, tokenName: key_id } = parts
  switch (asked) {
    case 'claims':
      return { form: 'claims', claims: tweaked(goodClaims(on), payload) }
    case 'digest':
      return { form: 'digest', bytes: parts.digestBytes }
    case 'message': {
      const isJws = message.startsWith('eyJ') && message.includes('.')
      return { form: 'message', text: message, isJws }
    }
    default: {
      const named = on === 'face' ? { key_id } : {}
      const ours = tweaked({ ...goodPayload(on), ...named }, payload)
      return { form: 'signingInput', header: tweaked(goodHeader(on), header), payload: ours }
    }
  }
}

function tweaked(members: Members, changed: Tweaks): Members {
  return { ...members, ...Object.fromEntries(changed) }
}
