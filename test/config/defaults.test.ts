import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { vaultRules } from '../../src/compose/vaults.ts'
import { loadConfig } from '../../src/config/load.ts'
import { algorithmNames } from '../../src/signing/algorithms.ts'
import { changed, complaintsOf, goodConfig, loadText } from '../support/config-text.ts'

const shortest = 'environment: dev\nstore: { sqlite: a.db }\naudit: { digestKeyFile: b.key }\n'

const embedded =
  '{ type: embedded, url: http://127.0.0.1:8490, organization: acme, tokenFile: ./token }'

describe('what is not said', () => {
  test('the listeners are on loopback, without a proxy, and drain for five seconds', () => {
    expect(loadText(shortest).config.listen).toEqual({
      sign: { address: { host: '127.0.0.1', port: 8480 }, behindProxy: false },
      ops: { address: { host: '127.0.0.1', port: 8481 } },
      drainDelayMs: 5_000,
    })
  })

  test('nobody may do anything: no vaults, keys, callers or grants', () => {
    const { vaults, keys, callers, grants } = loadText(shortest).config
    expect([vaults.size, keys.size, callers.length, grants.length]).toEqual([0, 0, 0, 0])
  })

  test('a section with nothing in it is as one that is not there', () => {
    expect(loadText(`${shortest}keys:\ngrants:\n`).config.keys.size).toBe(0)
  })

  test('a key is for JWTs and generates its versions', () => {
    expect(loadText(goodConfig).config.keys.get('reports')).toMatchObject({
      purpose: 'jwt',
      source: 'generated',
      modulusBits: undefined,
    })
  })

  test.each([
    ['generic-jwt', 3072],
    ['github-app', 3072],
    ['contentful-app', 4096],
  ])('an RSA key with profile %s has %i bits', (profile, bits) => {
    const text = changed('    modulusBits: 2048\n', '').replace(
      'name: github-app',
      `name: ${profile}`,
    )
    const withLifetime = text
      .replace('[sign-claims, sign-input]', '[read-fingerprint]')
      .replace('issuer: Iv23li }', 'issuer: Iv23li }\n    registry: { name: apps, app: blog }')
      .replace('callers:', `registries:\n  apps: ${embedded}\ncallers:`)
    expect(loadText(withLifetime).config.keys.get('bot')?.modulusBits).toBe(bits)
  })

  test('a grant has no limit, no claims, and the lifetime of its profile', () => {
    expect(loadText(goodConfig).config.grants[2]).toMatchObject({
      lifetimeSecondsMax: undefined,
      limitPerSecond: undefined,
      claims: [],
    })
  })
})

describe('what is said', () => {
  test('relative paths are relative to the file, absolute ones stay', () => {
    const text = changed('./var/master.key', '/etc/master.key')
    const { config, directory } = loadText(text)
    expect(config.store.sqlite).toBe(join(directory, 'var/chancery.db'))
    expect(config.audit.digestKeyFile).toBe(join(directory, 'var/audit-digest.key'))
    expect(config.vaults.get('local')).toEqual({
      provider: 'local',
      directory: join(directory, 'var/vault'),
      masterKeyFile: '/etc/master.key',
    })
  })

  test('a local vault takes the limits of any vault, and has none by itself', () => {
    const limits =
      'deadline: 1s\n    concurrency: 4\n    quota: 50/s\n    masterKeyFile: ./var/master.key'
    const { config } = loadText(changed('masterKeyFile: ./var/master.key', limits))
    expect(config.vaults.get('local')).toMatchObject({ deadline: 1_000, concurrency: 4, quota: 50 })
  })

  test.each(['30s', '10m', '12h', '90d'])('a lifetime of %s is taken', (text) => {
    const seconds = { s: 1, m: 60, h: 3_600, d: 86_400 }[text.slice(-1)] ?? 0
    const [grant] = loadText(changed('15m', text)).config.grants
    expect(grant?.lifetimeSecondsMax).toBe(Number.parseInt(text, 10) * seconds)
  })

  test.each([
    ['20/s', 20],
    ['600/m', 10],
    ['1/m', 1 / 60],
  ])('a limit of %s is %d a second', (text, perSecond) => {
    expect(loadText(changed('20/s', text)).config.grants[0]?.limitPerSecond).toBe(perSecond)
  })

  test.each(algorithmNames)('a bytes key may be of %s', (alg) => {
    expect(complaintsOf(changed('alg: HS256', `alg: ${alg}`))).toEqual([])
  })

  test('a caller may have two API keys while one replaces the other', () => {
    const second = `\n      - id: CCCCCCCCCC\n        sha256: ${'c'.repeat(64)}\n  shop:`
    const { callers } = loadText(changed('\n  shop:', second)).config
    expect(callers[0]?.apiKeys.map(({ id }) => id)).toEqual(['AAAAAAAAAA', 'CCCCCCCCCC'])
  })

  test('behind a proxy the sign listener may stand on any address', () => {
    const text = changed(
      '127.0.0.1:8480\n    behindProxy: false',
      '0.0.0.0:80\n    behindProxy: true',
    )
    expect(loadText(text).config.listen.sign).toEqual({
      address: { host: '0.0.0.0', port: 80 },
      behindProxy: true,
    })
  })

  test('two grants on one key may share it by operations and by callers', () => {
    const more = '  - { caller: blog, key: reports, operations: [sign-input], maxLifetime: 5m }\n'
    const other = '  - { caller: shop, key: reports, operations: [sign-claims], maxLifetime: 5m }\n'
    expect(complaintsOf(goodConfig + more + other)).toEqual([])
  })
})

test('a file that is not there, or is none, says how to get one', () => {
  const remedy = 'name a file with --config, or make one with `chancery init`'
  for (const [file, errno] of [
    ['/nowhere/chancery.yaml', 'ENOENT'],
    ['/', 'EISDIR'],
  ] as const) {
    expect(() => loadConfig(file, vaultRules)).toThrow(
      expect.objectContaining({
        code: 'config_invalid',
        message: `${file} cannot be read (${errno}): ${remedy}`,
      }),
    )
  }
})
