import { describe, expect, test } from 'vitest'
import { changed, complaintsOf, goodConfig, loadText } from '../support/config-text.ts'

const apps = '{ type: embedded, url: http://127.0.0.1:8490, organization: acme, tokenFile: ./t }'

/** The good configuration with a registry `apps`, and with a line more for a key that has `alg`. */
function withRegistry(alg: string, line: string, registry = apps, text = goodConfig): string {
  const registries = changed('keys:\n', `registries:\n  apps: ${registry}\nkeys:\n`, text)
  return line === ''
    ? registries
    : changed(`alg: ${alg}\n`, `alg: ${alg}\n    ${line}\n`, registries)
}

const app = 'registry: { name: apps, app: blog }'
const manual =
  'registry: { type: manual, system: github, url: https://github.com/settings/apps/bot }'
const apiKey = changed(
  'purpose: bytes\n    source: generated',
  'profile: { name: api-key-token }\n    source: imported',
)

describe('a registry', () => {
  test('of a key is read as the app that it names', () => {
    const { config, directory } = loadText(withRegistry('ES256', app))
    expect(config.keys.get('reports')?.registry).toEqual({
      kind: 'app',
      registry: 'apps',
      app: 'blog',
    })
    expect(config.registries.get('apps')).toEqual({
      type: 'embedded',
      url: 'http://127.0.0.1:8490',
      organization: 'acme',
      tokenFile: `${directory}/t`,
    })
  })

  test('may have the id of an app, as the embedded registry gives them', () => {
    const named = app.replace('blog', 'Blog.v2_-1')
    const dotted = apps.replace('acme', 'acme.example')
    expect(complaintsOf(withRegistry('ES256', named, dotted))).toEqual([])
  })

  test('by hand is read as its system and its page', () => {
    const { config } = loadText(withRegistry('RS256', `source: imported\n    ${manual}`))
    const url = 'https://github.com/settings/apps/bot'
    expect(config.keys.get('bot')?.registry).toEqual({ kind: 'manual', system: 'github', url })
  })

  test.each([
    [
      'http off this host',
      'http://registry.acme.example',
      'https only; http on a loopback address only, like http://127.0.0.1:8080',
    ],
    [
      'http to this host by name',
      'http://localhost:8490',
      'no localhost: write the address out, like 127.0.0.1',
    ],
    [
      'http in a private network',
      'http://10.0.0.1',
      'https only; http on a loopback address only, like http://127.0.0.1:8080',
    ],
    ['a metadata service', 'http://169.254.169.254', 'nothing is at this address'],
    ['a password', 'https://a:b@acme.example', 'no user and no password in it'],
    ['a query', 'https://acme.example/?a=b', 'a registry’s url has no query'],
    ['a fragment', 'https://acme.example/#a', 'no fragment'],
    ['another protocol', 'ftp://acme.example', 'https only'],
    ['no URL', 'acme', 'not a URL'],
  ])('is not reached by %s', (_, url, words) => {
    const text = withRegistry('ES256', '', apps.replace('http://127.0.0.1:8490', `"${url}"`))
    expect(complaintsOf(text)).toEqual([
      { path: 'registries.apps.url', message: expect.stringContaining(words) },
    ])
  })

  test.each(['https://registry.acme.example', 'https://10.0.0.1/base', 'http://[::1]:8490'])(
    'is reached by %s',
    (url) => {
      const text = withRegistry('ES256', '', apps.replace('http://127.0.0.1:8490', `"${url}"`))
      expect(complaintsOf(text)).toEqual([])
    },
  )

  test.each([
    ['no token file', apps.replace(', tokenFile: ./t', ''), 'registries.apps.tokenFile'],
    [
      'a token in the configuration',
      apps.replace('tokenFile: ./t', 'tokenFile: ./t, token: x'),
      'registries.apps.token',
    ],
    ['an organization that is a path', apps.replace('acme', '..'), 'registries.apps.organization'],
    ['an organization with a slash', apps.replace('acme', 'a/b'), 'registries.apps.organization'],
  ])('with %s is refused', (_, registry, path) => {
    const paths = complaintsOf(withRegistry('ES256', '', registry)).map(
      (complaint) => complaint.path,
    )
    expect(paths).toEqual([path])
  })
})

describe('a key’s registry', () => {
  test.each<[string, string, string, string]>([
    [
      'that nobody configured',
      withRegistry('ES256', app.replace('apps', 'other')),
      'keys.reports.registry',
      'no such registry: name one of registries',
    ],
    [
      'of a bytes key',
      withRegistry('HS256', app),
      'keys.documents.registry',
      'a key of purpose bytes has no registry: raw bytes would mint any token',
    ],
    [
      'by hand, of a key that we make',
      withRegistry('RS256', manual),
      'keys.bot.source',
      'a manual registry makes the key itself: source: imported',
    ],
    [
      'by hand, at a page without TLS',
      withRegistry('RS256', `source: imported\n    ${manual.replace('https', 'http')}`),
      'keys.bot.registry.url',
      'https://…, where people look after it',
    ],
    [
      'of a third kind',
      withRegistry('RS256', 'registry: { type: automatic }'),
      'keys.bot.registry',
      'a registry is { name, app } of one of registries, or { type: manual, system: github | icr, url: https://… }',
    ],
    [
      'with an app that is a path',
      withRegistry('RS256', app.replace('blog', '../shop')),
      'keys.bot.registry.app',
      'an app is letters, digits, . _ and -',
    ],
  ])('%s is refused', (_, text, path, words) => {
    expect(complaintsOf(text)).toEqual([{ path, message: expect.stringContaining(words) }])
  })

  test('of an API key is refused: a secret is told to nobody', () => {
    const text = withRegistry('HS256', app, apps, apiKey)
    const told = complaintsOf(text).filter(({ path }) => path === 'keys.documents.registry')
    expect(told).toEqual([
      {
        path: 'keys.documents.registry',
        message: expect.stringContaining('a secret is told to nobody'),
      },
    ])
  })

  const contentful = changed('name: github-app', 'name: contentful-app')
  const withBits = changed('    modulusBits: 2048\n', '', contentful)

  test('has to be there for contentful-app', () => {
    expect(complaintsOf(withBits)).toEqual([
      {
        path: 'keys.bot.registry',
        message: expect.stringContaining(
          'profile contentful-app needs a registry, like { name: apps, app: … }',
        ),
      },
    ])
  })

  test('is an app for contentful-app, which nobody registers by hand', () => {
    const text = withRegistry('RS256', `source: imported\n    ${manual}`, apps, withBits)
    expect(complaintsOf(text)).toEqual([
      {
        path: 'keys.bot.registry',
        message: expect.stringContaining(
          'profile contentful-app needs an app, like { name: apps, app: … }',
        ),
      },
    ])
  })
})
