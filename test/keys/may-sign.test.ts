import { expect, test } from 'vitest'
import type { Catalogue } from '../../src/keys/catalogue.ts'
import { isCutOff } from '../../src/keys/may-sign.ts'
import { keyOf } from '../support/grant.ts'
import { versionOf } from '../support/store-file.ts'

const { name } = keyOf('blog')

const version = (key: string, generation: string) =>
  versionOf(key, 1, { source: 'provisioned', generation, resource: 'r' })

const keys: Catalogue['keys'] = {
  [name]: { vault: 'local', alg: 'ES256', generations: { a: { resource: 'r', state: 'enabled' } } },
}

test('a key is looked up in its catalogue, however many stand there with it', () => {
  const listed = new Proxy(keys, {
    ownKeys() {
      throw new Error('all keys were listed')
    },
  })
  expect(isCutOff(version('blog', 'a'), { keys: listed })).toBe(false)
  expect(isCutOff(version('docs', 'a'), { keys: listed })).toBe(true)
})

test('what every object has is no key of a catalogue, and no generation', () => {
  for (const inherited of ['constructor', 'toString', '__proto__']) {
    expect(isCutOff(version(inherited, 'a'), { keys })).toBe(true)
    expect(isCutOff(version('blog', inherited), { keys })).toBe(true)
  }
})
