import { createPrivateKey, createSecretKey } from 'node:crypto'
import { z } from 'zod'
import { equalBytes } from '../../src/lib/bytes.ts'
import { algorithm, type AlgorithmName } from '../../src/signing/algorithms.ts'
import { type Case, groupsOf, hex, macTest, signatureTest } from './cases.ts'
import type { Subject } from './subject.ts'

/** Files with private keys and secrets: the local vault signs, and its answer is compared. */

const generateGroup = z.object({
  sha: z.string(),
  privateKeyPkcs8: hex,
  tests: z.array(signatureTest),
})

/** https://www.rfc-editor.org/rfc/rfc7518#section-3.3 has no other hashes. */
const pkcs1Algorithms: Readonly<Record<string, AlgorithmName>> = {
  'SHA-256': 'RS256',
  'SHA-384': 'RS384',
  'SHA-512': 'RS512',
}
const notOurHashes = ['SHA-1', 'SHA-224']

/** PKCS#1 v1.5 is deterministic: the signature of the file is the only right one. */
export function pkcs1Signatures(subject: Subject, text: string): readonly Case[] {
  return groupsOf(text, generateGroup).flatMap(({ sha, privateKeyPkcs8, tests }) => {
    const name = pkcs1Algorithms[sha]
    if (!name && !notOurHashes.includes(sha)) throw new Error(`no rule for the hash ${sha}`)
    return tests.map((test) => ({
      ...test,
      notOurs: name ? undefined : `RSA with ${sha} is not an algorithm of ours`,
      async accepts() {
        if (!name) return false
        const key = Buffer.from(privateKeyPkcs8)
        const privateKey = createPrivateKey({ key, format: 'der', type: 'pkcs8' })
        return equalBytes(await subject.sign(privateKey, name, test.msg), test.sig)
      },
    }))
  })
}

const macGroup = z.object({ tagSize: z.int(), tests: z.array(macTest) })

/** An HMAC is verified by making it again. There is no request that does so for a caller. */
export function macs(name: 'HS256' | 'HS512') {
  return (subject: Subject, text: string): readonly Case[] => {
    const row = algorithm(name)
    if (row.kty !== 'oct') throw new TypeError(`${name} is not an HMAC`)
    return groupsOf(text, macGroup).flatMap(({ tagSize, tests }) =>
      tests.map((test) => ({
        ...test,
        notOurs: tagSize === 8 * row.macBytes ? undefined : `${name} has no truncated tags`,
        async accepts() {
          const secret = createSecretKey(test.key)
          return equalBytes(await subject.sign(secret, name, test.msg), test.tag)
        },
      })),
    )
  }
}
