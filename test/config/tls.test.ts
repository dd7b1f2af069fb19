import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { changed, complaintsOf, goodConfig, loadText } from '../support/config-text.ts'

const pair = 'certificateFile: ./tls/tls.crt, keyFile: ./tls/tls.key'
const withTls = (tls: string, text = goodConfig) =>
  changed('    behindProxy: false\n', `    tls: { ${tls} }\n`, text)
const mesh = changed(
  'callers:\n',
  'callers:\n  mesh: { certificate: { uri: spiffe://acme/blog } }\n',
).concat('  - { caller: mesh, key: bot, operations: [sign-claims] }\n')

const said = (text: string) => complaintsOf(text).map(({ path, message }) => `${path}: ${message}`)

describe('listen.sign.tls', () => {
  test('has paths that are relative to the configuration', () => {
    const { config, directory } = loadText(withTls(`${pair}, clientCaFile: ca.crt`))
    expect(config.listen.sign.tls).toEqual({
      certificateFile: join(directory, 'tls/tls.crt'),
      keyFile: join(directory, 'tls/tls.key'),
      clientCaFile: join(directory, 'ca.crt'),
    })
  })

  test('lets the listener leave the host', () => {
    expect(said(withTls(pair).replace('127.0.0.1:8480', '0.0.0.0:8480'))).toEqual([])
    expect(said(goodConfig.replace('127.0.0.1:8480', '0.0.0.0:8480'))).toEqual([
      expect.stringContaining('listen.sign.address: not a loopback address: configure tls'),
    ])
  })

  test.each([
    ['certificateFile: a', 'listen.sign.tls.keyFile: missing: add it'],
    ['keyFile: a', 'listen.sign.tls.certificateFile: missing: add it'],
    [`${pair}, caFile: a`, 'listen.sign.tls.caFile: unknown member: correct or remove it'],
    [`${pair}, minVersion: TLSv1`, 'listen.sign.tls.minVersion: unknown member'],
    [`${pair}, clientCaFile: ''`, 'listen.sign.tls.clientCaFile: '],
    ['certificateFile: 1, keyFile: a', 'listen.sign.tls.certificateFile: '],
  ])('with %s is refused', (tls, expected) => {
    expect(said(withTls(tls))).toEqual([expect.stringContaining(expected)])
  })

  test('is not for a proxy that ends TLS in front', () => {
    const text = withTls(pair).replace('    tls:', '    behindProxy: true\n    tls:')
    expect(said(text)).toEqual([
      expect.stringContaining('listen.sign.behindProxy: tls, or a proxy that ends it: not both'),
    ])
  })
})

describe('a caller with a certificate', () => {
  const complaint = expect.stringContaining(
    'callers.mesh.certificate: nobody can show a certificate here: configure listen.sign.tls with a clientCaFile',
  )

  test('needs an authority that its certificate is checked with', () => {
    expect(said(mesh)).toEqual([complaint])
    expect(said(withTls(pair, mesh))).toEqual([complaint])
    expect(said(withTls(`${pair}, clientCaFile: ca.crt`, mesh))).toEqual([])
  })

  test('has a URI of its own', () => {
    const twins = mesh.replace(
      '  mesh: {',
      '  mesh-2: { certificate: { uri: spiffe://acme/blog } }\n  mesh: {',
    )
    expect(said(withTls(`${pair}, clientCaFile: ca.crt`, twins))).toEqual([
      expect.stringContaining('spiffe://acme/blog stands at mesh-2 too: keep one'),
    ])
  })

  test.each([
    'blog',
    'spiffe:',
    '//acme/blog',
    'spiffe://acme/a b',
    'spiffe://acme/a,b',
    "a:'",
    'a:"',
  ])('has a URI that a certificate can hold: not %s', (uri) => {
    const text = withTls(`${pair}, clientCaFile: ca.crt`, mesh)
    expect(said(text.replace('spiffe://acme/blog', JSON.stringify(uri)))).toEqual([
      expect.stringContaining('callers.mesh.certificate.uri: a URI, like spiffe://acme/blog'),
    ])
  })
})
