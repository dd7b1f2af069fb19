/** Where our verdict is another one than the file's, and why. There is no other exception. */

/** We are strict: tests under these flags are refused, also where the file would let them pass. */
export const strictFlags: Readonly<Record<string, string>> = {
  MissingNull: 'DigestInfo has its NULL (RFC 8017 appendix A.2.4)',
  SmallPublicKey: 'RSA keys have e = 65537',
}

export type Rule = {
  readonly file: string
  readonly tests: readonly number[]
  readonly verdict: 'accepted' | 'refused' | 'not ours'
  readonly reason: string
}

export const rules: readonly Rule[] = [
  {
    file: 'hmac_sha256_test.json',
    tests: [163, 164, 165],
    verdict: 'refused',
    reason: 'a secret shorter than the hash (RFC 7518 §3.2)',
  },
  {
    file: 'hmac_sha512_test.json',
    tests: [163, 164, 165],
    verdict: 'refused',
    reason: 'a secret shorter than the hash (RFC 7518 §3.2)',
  },
  {
    file: 'json_web_key_test.json',
    tests: [1, 4],
    verdict: 'not ours',
    reason: 'what makes a key set a bad one: secrets beside public keys, one kid twice',
  },
  {
    file: 'json_web_key_test.json',
    tests: [7],
    verdict: 'not ours',
    reason: 'the ROCA weakness lies in how the primes were made; nobody here looks for it',
  },
  {
    file: 'json_web_key_test.json',
    tests: [21],
    verdict: 'not ours',
    reason: 'a JWK that is for encryption: our keys come as SPKI, which has no `use`',
  },
  {
    file: 'json_web_signature_test.json',
    tests: [346, 350],
    verdict: 'refused',
    reason: 'one algorithm per key: the key says PS256, the header PS384',
  },
  {
    file: 'json_web_signature_test.json',
    tests: [347, 351],
    verdict: 'refused',
    reason: 'the key says ES521, which is no algorithm (RFC 7518 §3.1)',
  },
  {
    file: 'json_web_signature_test.json',
    tests: [367, 370],
    verdict: 'accepted',
    reason: 'byte for byte test 357, which is valid: https://github.com/C2SP/wycheproof/issues/236',
  },
  {
    file: 'json_web_signature_test.json',
    tests: [372, 373],
    verdict: 'refused',
    reason: 'a segment holds a character that is not base64url (RFC 7515 §2)',
  },
]

export function ruleFor(file: string, tcId: number): Rule | undefined {
  return rules.find((rule) => rule.file === file && rule.tests.includes(tcId))
}

/** Rules for tests that the file has no more. */
export function staleRules(file: string, tcIds: readonly number[]): readonly string[] {
  return rules
    .filter((rule) => rule.file === file)
    .flatMap(({ tests, reason }) =>
      tests.filter((tcId) => !tcIds.includes(tcId)).map((tcId) => `no test ${tcId}: ${reason}`),
    )
}
