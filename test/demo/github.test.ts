import { createPrivateKey } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SignJWT } from 'jose'
import { beforeAll, expect, test } from 'vitest'
import { askGithub, generateGithubKey, type GithubKey } from '../../src/demo/github.ts'
import { githubFingerprint } from '../support/imported-keys.ts'

/** The demo's GitHub says yes only to what GitHub would: a check that always passes shows nothing. */

const nowMs = Date.UTC(2026, 10, 21)
const nowS = nowMs / 1_000
const clientId = 'Iv23x'

let key: GithubKey
let another: GithubKey
beforeAll(async () => {
  ;[key, another] = await Promise.all([generateGithubKey(), generateGithubKey()])
})

const good = { iss: clientId, iat: nowS - 60, exp: nowS + 540 }

function signed(claims: object, header: object = {}, { pem } = key): Promise<string> {
  const jwt = new SignJWT({ ...claims }).setProtectedHeader({ alg: 'RS256', typ: 'JWT', ...header })
  return jwt.sign(createPrivateKey(pem))
}

const asked = async (jwt: Promise<string>) => askGithub(await jwt, key, { clientId, nowMs })

test('a JWT of ten minutes from a minute ago is taken', async () => {
  expect(await asked(signed(good))).toEqual({ verdict: 'taken', agoS: 60, aheadS: 540 })
})

test.each([
  ['with a kid', good, { kid: 'x' }, 'a header with more than alg and typ'],
  ['by another algorithm', good, { alg: 'PS256' }, '"alg" (Algorithm) Header Parameter'],
  ['issued in the future', { ...good, iat: nowS + 1 }, {}, 'issued in the future'],
  ['of ten minutes and a second', { ...good, exp: nowS + 541 }, {}, 'longer than 10 minutes'],
  ['expired', { ...good, exp: nowS - 1 }, {}, '"exp" claim timestamp check failed'],
  ['of another app', { ...good, iss: 'Iv23y' }, {}, 'unexpected "iss" claim value'],
  ['without an end', { iss: clientId, iat: nowS }, {}, 'missing required "exp" claim'],
])('a JWT %s is refused', async (_, claims, header, why) => {
  const answer = await asked(signed(claims, header))
  expect(answer).toEqual({ verdict: 'refused', why: expect.stringContaining(why) })
})

test('a JWT by another key is refused', async () => {
  const answer = await asked(signed(good, {}, another))
  expect(answer).toEqual({ verdict: 'refused', why: 'signature verification failed' })
})

test('the file is PKCS#1, and the fingerprint what the command of GitHub’s documentation prints', () => {
  const directory = mkdtempSync(join(tmpdir(), 'chancery-github-'))
  try {
    const file = join(directory, 'app.pem')
    writeFileSync(file, key.pem, { mode: 0o600 })
    expect(key.pem).toMatch(/^-----BEGIN RSA PRIVATE KEY-----\n/)
    expect(key.fingerprint).toBe(`SHA256:${githubFingerprint(file)}`)
  } finally {
    rmSync(directory, { recursive: true })
  }
})
