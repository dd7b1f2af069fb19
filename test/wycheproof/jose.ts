import { createSecretKey } from 'node:crypto'
import { z } from 'zod'
import { decodeUtf8, equalBytes, utf8 } from '../../src/lib/bytes.ts'
import { isJsonObject } from '../../src/policy/claim-set.ts'
import { looksLikeSigningInput } from '../../src/policy/signing-input.ts'
import { algorithm, isAlgorithmName } from '../../src/signing/algorithms.ts'
import { publicKeyOfJwk } from '../support/vectors.ts'
import { type Case, groupsOf, jwsTest } from './cases.ts'
import { assertPublishedAs } from './published.ts'
import type { Subject } from './subject.ts'

/** Compact JWS and the keys they come with, read with our own readers of segments, JSON and headers. */

const jwk = z.looseObject({ kid: z.string(), alg: z.string().optional() })
type Jwk = z.infer<typeof jwk>

const keysOf = z
  .union([z.object({ keys: z.array(jwk) }), jwk.transform((key) => ({ keys: [key] }))])
  .transform(({ keys }) => keys)

const group = z.object({
  public: keysOf.optional(),
  private: keysOf.optional(),
  tests: z.array(jwsTest),
})

/** Without a public key there is a secret. */
export function webSignatures(subject: Subject, text: string): readonly Case[] {
  return groupsOf(text, group).flatMap((one) => {
    const keys = one.public ?? one.private ?? []
    return one.tests.map((test) => ({ ...test, accepts: () => accepts(subject, test.jws, keys) }))
  })
}

/** As RFC 7515 §5.2 has it; `kid` chooses the key, and the key says what its algorithm is. */
async function accepts(subject: Subject, jws: string, keys: readonly Jwk[]): Promise<boolean> {
  const [first, second, third, ...more] = jws.split('.')
  if (!first || second === undefined || third === undefined || more.length > 0) return false
  const header = subject.parseJson(decodeUtf8(subject.decodeBase64url(first)))
  subject.decodeBase64url(second)
  const signature = subject.decodeBase64url(third)

  if (!isJsonObject(header)) return false
  const key = keys.find(({ kid }) => kid === header['kid'])
  if (!key?.alg || !isAlgorithmName(key.alg)) return false
  subject.checkHeader(header, { alg: key.alg, kidInHeader: true, headerIsExact: false })
  const row = algorithm(key.alg)
  const message = utf8(`${first}.${second}`)
  if (!looksLikeSigningInput(message)) throw new Error('a key for bytes would have signed it')
  if (row.kty === 'oct') {
    const secret = createSecretKey(subject.decodeBase64url(octets.parse(key).k))
    return equalBytes(await subject.sign(secret, row.name, message), signature)
  }
  const publicKey = publicKeyOf(subject, key)
  if (!publicKey) return false
  subject.assertFits(publicKey.object, row)
  return subject.verifies(publicKey, row, message, signature)
}

const octets = z.object({ kty: z.literal('oct'), k: z.string() })

const publicMembers = z.discriminatedUnion('kty', [
  z.object({ kty: z.literal('RSA'), n: z.string(), e: z.string() }),
  z.object({ kty: z.literal('EC'), crv: z.string(), x: z.string(), y: z.string() }),
  z.object({ kty: z.literal('OKP'), crv: z.string(), x: z.string() }),
])

/** Undefined for what Node does not take for a key: our own readers begin at the SPKI. */
function publicKeyOf({ publicKeyFromSpki }: Subject, key: Jwk) {
  const members = publicMembers.safeParse(key)
  if (!members.success) return undefined
  const spki = spkiOfJwk(members.data)
  if (!spki) return undefined
  const publicKey = publicKeyFromSpki(spki)
  assertPublishedAs(publicKey, key)
  return publicKey
}

function spkiOfJwk(members: z.infer<typeof publicMembers>) {
  try {
    return publicKeyOfJwk(members).spki
  } catch {
    return undefined
  }
}
