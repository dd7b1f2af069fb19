import { describe, expect, test } from 'vitest'
import { changed, complaintsOf, goodConfig, loadText } from '../support/config-text.ts'

const entry = (more = '') =>
  `{ type: contentful, organization: 5abc, tokenFile: ./cma-token${more} }`
const key = (part: { profile?: string; more?: string } = {}) => {
  const { profile = 'name: contentful-app, issuer: 4XyZ', more = '' } = part
  return `  blog: { vault: local, alg: RS256, profile: { ${profile} }, registry: { name: contentful, app: 4XyZ }${more} }\n`
}
const withBlog = (line: string, registry = entry()) =>
  changed('keys:\n', `registries:\n  contentful: ${registry}\nkeys:\n${line}`, goodConfig)

describe('a registry of type contentful', () => {
  test('is at Contentful’s own address, or where it is told to be', () => {
    const read = (registry: string) =>
      loadText(withBlog(key(), registry)).config.registries.get('contentful')
    expect(read(entry())).toMatchObject({ type: 'contentful', url: 'https://api.contentful.com' })
    const eu = 'https://api.eu.contentful.com'
    expect(read(entry(`, url: "${eu}"`))).toMatchObject({ url: eu })
  })

  test('makes keys of 4096 bits', () => {
    expect(loadText(withBlog(key())).config.keys.get('blog')?.modulusBits).toBe(4_096)
    expect(complaintsOf(withBlog(key({ more: ', modulusBits: 4096' })))).toEqual([])
  })

  test.each([
    [
      'smaller keys',
      key({ more: ', modulusBits: 3072' }),
      'modulusBits',
      'Contentful takes keys of 4096 bits: remove modulusBits',
    ],
    [
      'another profile',
      key({ profile: 'name: generic-jwt, issuer: 4XyZ', more: ', modulusBits: 4096' }),
      'profile',
      'a registry of type contentful needs profile contentful-app',
    ],
    [
      'another issuer than the app',
      key({ profile: 'name: contentful-app, issuer: other' }),
      'profile',
      'Contentful needs the app as the issuer: issuer: 4XyZ',
    ],
  ])('refuses %s at once, not when Contentful does', (_, line, member, message) => {
    expect(complaintsOf(withBlog(line))).toEqual([
      { path: `keys.blog.${member}`, message: expect.stringContaining(message) },
    ])
  })

  test('that is only configured by half is said to be', () => {
    const registry = '{ type: contentful, url: http://api.contentful.com }'
    const paths = complaintsOf(withBlog(key(), registry)).map(({ path }) => path)
    expect(paths.toSorted()).toEqual(
      ['organization', 'tokenFile', 'url'].map((member) => `registries.contentful.${member}`),
    )
  })
})
