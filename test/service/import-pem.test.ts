import { execFileSync } from 'node:child_process'
import { createPublicKey, type KeyObject } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { readPrivateKey } from '../../src/service/import-pem.ts'
import { memoryKey } from '../support/memory-key.ts'

const nobody = async () => undefined
const rsa = memoryKey('RS256').secret
const ec = memoryKey('ES256').secret
const ed = memoryKey('EdDSA').secret

const pkcs1 = pem(rsa, 'pkcs1')
const pkcs8 = pem(rsa, 'pkcs8')
const encrypted = encryptedPem('aes-256-cbc', 'a passphrase')

function pem(key: KeyObject, type: 'pkcs1' | 'pkcs8' | 'sec1'): string {
  return key.export({ type, format: 'pem' }).toString()
}

function encryptedPem(cipher: string, passphrase: string): string {
  return rsa.export({ type: 'pkcs8', format: 'pem', cipher, passphrase }).toString()
}

const read = (text: string | Uint8Array, ask: () => Promise<Buffer | undefined> = nobody) =>
  readPrivateKey(Buffer.from(text), ask)

/** As `openssl ecparam -genkey` writes them before a key of P-256. */
const curveParameters =
  '-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n'

const publicOf = (key: KeyObject) => createPublicKey(key).export({ type: 'spki', format: 'pem' })

describe('what holds a private key', () => {
  test.each([
    ['PKCS#1, as GitHub and ICR make it', pkcs1, rsa],
    ['PKCS#8', pkcs8, rsa],
    ['SEC1', pem(ec, 'sec1'), ec],
    ['PKCS#8 of Ed25519', pem(ed, 'pkcs8'), ed],
    ['a JWK of RSA', JSON.stringify(rsa.export({ format: 'jwk' })), rsa],
    ['a JWK of EC', JSON.stringify(ec.export({ format: 'jwk' }), undefined, 2), ec],
    ['a JWK of OKP', JSON.stringify(ed.export({ format: 'jwk' })), ed],
    ['Windows line ends', pkcs1.replaceAll('\n', '\r\n'), rsa],
    ['a BOM', `\ufeff${pkcs1}`, rsa],
    ['a BOM before a JWK', `\ufeff${JSON.stringify(ec.export({ format: 'jwk' }))}`, ec],
    ['no final line end', pkcs1.trimEnd(), rsa],
    ['text around it', `Bag Attributes\n  friendlyName: x\n${pkcs8}\nbye\n`, rsa],
    ['its public half beside it', `${String(publicOf(rsa))}${pkcs8}`, rsa],
    ['the parameters of its curve before it', curveParameters + pem(ec, 'sec1'), ec],
  ])('%s', async (_, text, source) => {
    const key = await read(text)
    expect(key.type).toBe('private')
    expect(publicOf(key)).toBe(publicOf(source))
  })

  test('a JWK of a secret is a secret', async () => {
    const { secret } = memoryKey('HS256')
    const key = await read(JSON.stringify(secret.export({ format: 'jwk' })))
    expect(key.equals(secret)).toBe(true)
  })

  test.each(['aes-256-cbc', 'aes-128-cbc', 'des-ede3-cbc'])(
    'encrypted with %s: the passphrase is asked for, and zeroed',
    async (cipher) => {
      const passphrase = Buffer.from('a passphrase')
      const key = await read(encryptedPem(cipher, 'a passphrase'), async () => passphrase)
      expect(publicOf(key)).toBe(publicOf(rsa))
      expect(passphrase.every((byte) => byte === 0)).toBe(true)
    },
  )

  test('the older form of encryption, as openssl writes it with -traditional', async () => {
    const command = ['rsa', '-traditional', '-aes256', '-passout', 'pass:abcd']
    const text = execFileSync('openssl', command, { input: pkcs8, stdio: 'pipe' })
    expect(text.toString()).toContain('Proc-Type: 4,ENCRYPTED')
    const key = await read(text, async () => Buffer.from('abcd'))
    expect(publicOf(key)).toBe(publicOf(rsa))
  })
})

const certificate = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'
const openssh = '-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n-----END OPENSSH PRIVATE KEY-----\n'
const { d: _, ...publicJwk } = ec.export({ format: 'jwk' })

describe('what holds none: each has its own message and remedy', () => {
  test.each([
    ['nothing', '', 'is empty: download the key again'],
    ['white space', ' \r\n\n', 'is empty: download the key again'],
    ['a cut PEM', pkcs1.slice(0, 700), 'is cut off: its END line is missing: download'],
    ['a damaged PEM', pkcs1.replace(/\n.{20}/, '\n'), 'is damaged: download the key again'],
    ['an encrypted PEM, and nobody to ask', encrypted, 'is encrypted: run this in a terminal'],
    ['a public key', String(publicOf(rsa)), 'holds only the public half: give the private key'],
    ['a PKCS#1 public key', publicPkcs1(), 'holds only the public half: give the private key'],
    ['a certificate', certificate, 'holds a certificate: give the private key that was made'],
    [
      'OpenSSH’s own format',
      openssh,
      'is in OpenSSH’s own format: write it as PEM with `ssh-keygen',
    ],
    ['two private keys', pkcs1 + pkcs8, 'holds 2 private keys: put one alone into a file'],
    ['something else', 'hello', 'holds no private key that can be read: give a PEM'],
    ['UTF-16', Buffer.from(`\ufeff${pkcs1}`, 'utf16le'), 'is UTF-16 text: save it as UTF-8'],
    ['a public JWK', JSON.stringify(publicJwk), 'holds only the public half: give the private key'],
    ['a JWK Set', '{"keys":[]}', 'is a set of JWKs: put the one key alone into a file'],
    ['JSON that is no JWK', '{"a":1}', 'is JSON, and no JWK: give a PEM or a JWK'],
    ['broken JSON', '{"kty":"RSA"', 'begins like JSON, and is none'],
    ['a JWK whose parts do not fit', '{"kty":"EC","crv":"P-256","d":"AA"}', 'is damaged: get the'],
    ['a DSA key', dsa(), 'holds a DSA key: no algorithm here uses one'],
  ])('%s', async (_name, text, words) => {
    const error: unknown = await read(text).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'usage' })
    expect(error).not.toHaveProperty('cause')
    expect(String(error)).toContain(`The key file ${words}`)
  })

  test('a wrong passphrase', async () => {
    const reading = read(encrypted, async () => Buffer.from('another one'))
    await expect(reading).rejects.toMatchObject({
      code: 'usage',
      message: 'The key file does not open with this passphrase: try again',
    })
  })
})

function publicPkcs1(): string {
  return createPublicKey(rsa).export({ type: 'pkcs1', format: 'pem' }).toString()
}

function dsa(): string {
  return '-----BEGIN DSA PRIVATE KEY-----\nMIIB\n-----END DSA PRIVATE KEY-----\n'
}
