import { createRemoteJWKSet, jwtVerify, SignJWT } from 'jose'
import { describe, expect, test } from 'vitest'
import { memoryKeyPair, publicAlgorithmNames } from '../../support/memory-key.ts'
import { contentfulJwk, orphanRsa, rfcJwk } from '../../support/registry-keys.ts'
import { jwksPath, keysPath, listening, testRegistry } from '../../support/registry.ts'

describe('the JWKS of an app', () => {
  test('lists RFC 7517 JWKs and nothing else, in whichever shape they came', async () => {
    const { ask } = await testRegistry()
    const key = orphanRsa()
    const { kid, ...shape } = contentfulJwk(key)
    await ask(keysPath(), { body: { jwk: { kid, ...shape } } })
    await ask(keysPath(), { body: { jwk: rfcJwk('ES256') } })
    const answer = await ask(jwksPath(), { token: undefined })
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toBe('application/jwk-set+json')
    const { n, e, kty } = key.object.export({ format: 'jwk' })
    const clean = { kty, n, e, kid, alg: 'RS256', use: 'sig' }
    expect(answer.body.keys).toHaveLength(2)
    expect(answer.body.keys).toEqual(expect.arrayContaining([clean, rfcJwk('ES256')]))
  })

  test('is public, may be kept for as long as configured, and is empty without keys', async () => {
    const { ask } = await testRegistry()
    const answer = await ask(jwksPath(), { token: undefined })
    expect(answer.headers.get('cache-control')).toBe('public, max-age=300')
    expect(answer.text).toBe('{"keys":[]}')
  })

  test('never lists another app’s keys', async () => {
    const { ask } = await testRegistry()
    await ask(keysPath('shop'), { body: { jwk: rfcJwk('EdDSA') } })
    expect((await ask(jwksPath('blog'))).body.keys).toEqual([])
    expect((await ask(jwksPath('shop'))).body.keys).toHaveLength(1)
  })

  test('is another one from the answer to a change on, and the same until then', async () => {
    const { ask } = await testRegistry()
    const seen = async () => {
      const { headers, text } = await ask(jwksPath())
      return { etag: headers.get('etag'), text }
    }
    const jwk = rfcJwk('ES384')
    const empty = await seen()
    expect(empty.etag).toMatch(/^"[\w-]{43}"$/)
    await ask(keysPath(), { body: { jwk } })
    const one = await seen()
    expect(one.text).toContain(jwk.kid)
    expect(one.etag).not.toBe(empty.etag)
    expect(await seen()).toEqual(one)
    await ask(`${keysPath()}/${jwk.kid}`, { method: 'DELETE' })
    expect(await seen()).toEqual(empty)
  })

  test('answers 304 to whoever has it, with the same tag and age, and no body', async () => {
    const { ask } = await testRegistry()
    await ask(keysPath(), { body: { jwk: rfcJwk('ES512') } })
    const { headers: first } = await ask(jwksPath())
    const etag = first.get('etag') ?? ''
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const { status, headers, text } = await ask(jwksPath(), {
        headers: { 'If-None-Match': known },
      })
      expect([status, text]).toEqual([304, ''])
      expect(headers.get('etag')).toBe(etag)
      expect(headers.get('cache-control')).toBe('public, max-age=300')
    }
    for (const unknown of ['"other"', etag.replaceAll('"', ''), 'W/"other"', '']) {
      const { status } = await ask(jwksPath(), { headers: { 'If-None-Match': unknown } })
      expect(status).toBe(200)
    }
    await ask(keysPath(), { body: { jwk: rfcJwk('EdDSA') } })
    expect((await ask(jwksPath(), { headers: { 'If-None-Match': etag } })).status).toBe(200)
  })

  test('tells whoever asks for the head alone the same, without a body', async () => {
    const { ask } = await testRegistry()
    const { headers } = await ask(jwksPath())
    const head = await ask(jwksPath(), { method: 'HEAD' })
    expect([head.status, head.text]).toEqual([200, ''])
    expect(head.headers.get('etag')).toBe(headers.get('etag'))
  })
})

describe('jose, that knows the URL of the JWKS and nothing else', () => {
  test.each(publicAlgorithmNames)('verifies a token signed with %s', async (alg) => {
    const registry = await testRegistry()
    const { url } = await listening(registry)
    const jwk = rfcJwk(alg)
    expect((await registry.ask(keysPath(), { body: { jwk } })).status).toBe(201)
    const sign = (kid: string, which: 'one' | 'other') =>
      new SignJWT({ sub: '42' })
        .setProtectedHeader({ alg, kid })
        .sign(memoryKeyPair(alg, which).secret)
    const keys = createRemoteJWKSet(new URL(`${url}${jwksPath()}`))
    const verified = await jwtVerify(await sign(jwk.kid, 'one'), keys, { algorithms: [alg] })
    expect(verified.payload).toMatchObject({ sub: '42' })
    await expect(jwtVerify(await sign(jwk.kid, 'other'), keys)).rejects.toMatchObject({
      code: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
    })
    await expect(jwtVerify(await sign('another', 'one'), keys)).rejects.toMatchObject({
      code: 'ERR_JWKS_NO_MATCHING_KEY',
    })
  })
})
