import { z } from 'zod'
import { type Bytes, equalBytes } from '../../src/lib/bytes.ts'
import {
  algorithm,
  type AlgorithmName,
  type PublicAlgorithm,
} from '../../src/signing/algorithms.ts'
import type { PublicKey } from '../../src/signing/public-key.ts'
import { type Case, groupsOf, hex, signatureTest } from './cases.ts'
import { assertPublishedAs } from './published.ts'
import type { Subject } from './subject.ts'

/** Files with public keys: each key comes in as SPKI, and goes out again as the JWK of the file. */

const group = z.object({
  publicKeyDer: hex,
  /** The RSA files say `keyJwk`; some have none. */
  publicKeyJwk: z.record(z.string(), z.unknown()).optional(),
  keyJwk: z.record(z.string(), z.unknown()).optional(),
  tests: z.array(signatureTest),
})
type Group = z.infer<typeof group>

/** RSA, Ed25519, and ECDSA in P1363 form: the signature is in JOSE form as it stands. */
export function joseSignatures(name: Exclude<AlgorithmName, `HS${string}`>) {
  return (subject: Subject, text: string): readonly Case[] => {
    const row = publicRow(name)
    return cases(text, (one, { msg, sig }) =>
      subject.verifies(publicKeyOf(subject, row, one), row, msg, sig),
    )
  }
}

/** ECDSA as vaults answer it. There is one DER for a signature, so what was read is written again. */
export function derSignatures(name: 'ES256' | 'ES384' | 'ES512') {
  return (subject: Subject, text: string): readonly Case[] => {
    const row = algorithm(name)
    if (row.kty !== 'EC') throw new TypeError(`${name} is not ECDSA`)
    return cases(text, (one, { msg, sig }) => {
      const key = publicKeyOf(subject, row, one)
      const jose = subject.derToJose(sig, row)
      const der = subject.joseToDer(jose, row)
      if (!der || !equalBytes(der, sig)) throw new Error('read from other DER than it makes')
      return subject.verifies(key, row, msg, jose)
    })
  }
}

type Test = { readonly msg: Bytes; readonly sig: Bytes }

function cases(
  text: string,
  accepts: (one: Group, test: Test) => boolean | Promise<boolean>,
): readonly Case[] {
  return groupsOf(text, group).flatMap((one) =>
    one.tests.map((test) => ({ ...test, accepts: () => accepts(one, test) })),
  )
}

function publicKeyOf(subject: Subject, row: PublicAlgorithm, one: Group): PublicKey {
  const key = subject.publicKeyFromSpki(one.publicKeyDer)
  const theirs = one.publicKeyJwk ?? one.keyJwk
  if (theirs) assertPublishedAs(key, theirs)
  subject.assertFits(key.object, row)
  return key
}

function publicRow(name: AlgorithmName): PublicAlgorithm {
  const row = algorithm(name)
  if (row.kty === 'oct') throw new TypeError(`${name} has no public key`)
  return row
}
