import { constants, createHmac, verify } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { p256 } from '@noble/curves/nist.js'
import { afterAll, describe, expect, test } from 'vitest'
import { algorithm } from '../../src/signing/algorithms.ts'
import { vaultDirectory } from '../support/vault-directory.ts'
import type { Case } from './cases.ts'
import { compare } from './compare.ts'
import { files } from './files.ts'
import { unaccounted, vectorFolder } from './folder.ts'
import { ourSubject, type Subject } from './subject.ts'

const folder = vectorFolder(process.env['CHANCERY_VECTORS'])
const vault = await vaultDirectory()
const ours = ourSubject(vault)
afterAll(vault.remove)

type Seed = {
  readonly file: string
  readonly bug: Partial<Subject>
  readonly finding: RegExp
}

const tooKind = /\((?:valid|invalid|acceptable)\b.*: accepted, not refused$/
const tooStrict = /\(valid\b.*: refused, not accepted$/

const seeds: Readonly<Record<string, Seed>> = {
  'the last byte of a signature is ignored': {
    file: 'ed25519_test.json',
    bug: { verifies: anyLastByte },
    finding: tooKind,
  },
  'what follows a signature is ignored': {
    file: 'ed25519_test.json',
    bug: {
      verifies: (key, row, message, sig) => ours.verifies(key, row, message, sig.subarray(0, 64)),
    },
    finding: tooKind,
  },
  'what follows the DER is ignored': {
    file: 'ecdsa_secp256r1_sha256_test.json',
    bug: { derToJose: (der, row) => ours.derToJose(der.subarray(0, 2 + (der[1] ?? 0)), row) },
    finding: /threw Error: read from other DER than it makes, not refused$/,
  },
  'any salt will do': {
    file: 'json_web_signature_test.json',
    bug: { verifies: anySalt },
    finding: /SaltLenChanged\): accepted, not refused$/,
  },
  'only a low s will do': {
    file: 'ecdsa_secp256r1_sha256_p1363_test.json',
    bug: { verifies: lowS },
    finding: tooStrict,
  },
  'segments are read as Buffer reads them': {
    file: 'json_web_signature_test.json',
    bug: { decodeBase64url: (text) => new Uint8Array(Buffer.from(text, 'base64url')) },
    finding: tooKind,
  },
  'nobody looks at size and exponent of a key': {
    file: 'rsa_signature_2048_sha256_test.json',
    bug: { assertFits: () => {} },
    finding: tooKind,
  },
  'a secret may be short': {
    file: 'json_web_key_test.json',
    bug: { sign: macOfAnySecret },
    finding: /\(invalid; (?:key_too_short|empty_key)\): accepted, not refused$/,
  },
  'RS256 is signed with the padding of PS256': {
    file: 'rsa_pkcs1_2048_sig_gen_test.json',
    bug: { sign: async (key, _, message) => ours.sign(key, 'PS256', message) },
    finding: tooStrict,
  },
}

describe('this tier can fail: it finds out that', () => {
  test.each(Object.entries(seeds))('%s', async (_, { file, bug, finding }) => {
    const text = readFileSync(join(folder, file), 'utf8')
    const cases = files[file]?.({ ...ours, ...bug }, text) ?? []
    const { unexpected } = await compare(file, cases)
    expect(unexpected.filter((one) => finding.test(one))).not.toEqual([])
  })
})

async function anyLastByte(...[key, row, message, signature]: Parameters<Subject['verifies']>) {
  const guess = Uint8Array.from(signature)
  for (let byte = 0; byte < 256; byte += 1) {
    guess[guess.length - 1] = byte
    if (await ours.verifies(key, row, message, guess)) return true
  }
  return false
}

/** Node's own default for verifying. */
function anySalt(...[key, row, message, signature]: Parameters<Subject['verifies']>) {
  if (row.kty !== 'RSA' || row.padding !== 'pss') return ours.verifies(key, row, message, signature)
  const padding = constants.RSA_PKCS1_PSS_PADDING
  return verify(row.hash, message, { key: key.object, padding }, signature)
}

function lowS(...[key, row, message, signature]: Parameters<Subject['verifies']>) {
  const s = BigInt(`0x0${Buffer.from(signature.subarray(32)).toString('hex')}`)
  return s <= p256.Point.Fn.ORDER / 2n && ours.verifies(key, row, message, signature)
}

async function macOfAnySecret(...[key, name, message]: Parameters<Subject['sign']>) {
  const row = algorithm(name)
  if (row.kty !== 'oct') return ours.sign(key, name, message)
  return new Uint8Array(createHmac(row.hash, key).update(message).digest())
}

const some: Case = { tcId: 1, result: 'valid', flags: [], comment: '', accepts: () => true }

test('a run of nothing has failed, also where nothing in the file is ours', async () => {
  expect((await compare('a.json', [])).unexpected).toEqual(['0 run'])
  const notOurs = { ...some, notOurs: 'SHA-1' }
  expect((await compare('a.json', [notOurs])).unexpected).toEqual(['0 run'])
})

test('what is acceptable needs a rule', async () => {
  const { unexpected } = await compare('a.json', [
    { ...some, result: 'acceptable', flags: ['New'] },
  ])
  expect(unexpected).toEqual(['test 1 (acceptable, New; ): accepted, not a verdict of our rules'])
})

test('an error that is no refusal is none, also where a refusal was due', async () => {
  const accepts = () => Promise.reject(new TypeError('a bug'))
  const { unexpected } = await compare('a.json', [some, { ...some, result: 'invalid', accepts }])
  expect(unexpected).toEqual(['test 1 (invalid; ): threw TypeError: a bug, not refused'])
})

test('a rule for a test that is gone is named', async () => {
  const { unexpected } = await compare('hmac_sha256_test.json', [some])
  expect(unexpected).toHaveLength(3)
  expect(unexpected[0]).toMatch(/^no test 163: a secret shorter/)
})

test('a new file and a missing one are named, and what to do', () => {
  expect(unaccounted(['a.json', 'new.json'], ['a.json', 'gone.json'])).toEqual([
    'new.json: say in test/wycheproof/files.ts what it runs through',
    'gone.json: not in the folder; fetch it, or take it out of test/wycheproof/files.ts',
  ])
})

test('without a folder of vectors nothing runs, and the reason is how to name one', () => {
  const empty = mkdtempSync(join(tmpdir(), 'chancery-vectors-'))
  expect(() => vectorFolder(undefined)).toThrow(
    /^CHANCERY_VECTORS is not set: CHANCERY_VECTORS=DIR/,
  )
  expect(() => vectorFolder(join(empty, 'none'))).toThrow(/none is not there: CHANCERY_VECTORS=DIR/)
  expect(() => vectorFolder(empty)).toThrow(/ holds no vectors: CHANCERY_VECTORS=DIR/)
  rmSync(empty, { recursive: true })
})
