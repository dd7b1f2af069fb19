import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type AddressKind,
  configuredDestination,
  type Destination,
  discoveredDestination,
} from '../../src/lib/destination.ts'

const refused = {
  noUrl: 'not a URL',
  scheme: 'https only',
  http: 'https only; http on a loopback address only, like http://127.0.0.1:8080',
  user: 'no user and no password in it',
  fragment: 'no fragment',
  host: 'no host name',
  localhost: 'no localhost: write the address out, like 127.0.0.1',
  address: 'nothing is at this address',
  literal: 'a host name, not an address',
} as const

const company = ['public', 'private'] as const
const loopback = ['loopback'] as const
const everybody = ['public'] as const

/** Of the configuration: what is refused, and the kinds of address that a host may turn out to be. */
const configured: readonly (readonly [string, readonly AddressKind[] | string])[] = [
  ['https://issuer.example', company],
  ['https://issuer.example:8443/realms/a', company],
  ['HTTPS://ISSUER.EXAMPLE/', company],
  ['https://issuer.example./', company],
  ['https://10.0.0.5/', company],
  ['https://[fd12::1]/', company],
  ['https://8.8.8.8/', company],
  ['https://metadata.google.internal/', company],
  ['https://127.0.0.1.issuer.example/', company],
  ['http://127.0.0.1:8080', loopback],
  ['http://[::1]:8080', loopback],
  ['https://127.0.0.1:8443', loopback],
  ['http://127.1:8080', loopback],
  ['http://2130706433/', loopback],
  ['http://0x7f.0.0.1/', loopback],
  ['http://0177.0.0.1/', loopback],
  ['http://127.0.0.1./', loopback],
  ['http://[::ffff:127.0.0.1]/', loopback],
  ['http://１２７.0.0.1/', loopback],
  ['http://issuer.example', refused.http],
  ['http://10.0.0.5/', refused.http],
  ['http://127.0.0.1.issuer.example/', refused.http],
  ['http://localhost:8080', refused.localhost],
  ['https://localhost', refused.localhost],
  ['https://LOCALHOST./', refused.localhost],
  ['https://issuer.localhost/', refused.localhost],
  ['http://169.254.169.254/latest/meta-data', refused.address],
  ['https://169.254.169.254/', refused.address],
  ['http://2852039166/', refused.address],
  ['https://0xa9.0xfe.0xa9.0xfe/', refused.address],
  ['https://0251.0376.0251.0376/', refused.address],
  ['https://169.254.43518/', refused.address],
  ['https://[::ffff:169.254.169.254]/', refused.address],
  ['https://[::ffff:a9fe:a9fe]/', refused.address],
  ['https://[64:ff9b::a9fe:a9fe]/', refused.address],
  ['https://[2002:a9fe:a9fe::]/', refused.address],
  ['https://[fe80::1]/', refused.address],
  ['https://[::127.0.0.1]/', refused.address],
  ['https://[fd00:ec2::254]/', refused.address],
  ['https://168.63.129.16/', refused.address],
  ['https://100.100.100.200/', refused.address],
  ['https://0/', refused.address],
  ['https://0.0.0.0/', refused.address],
  ['https://[::]/', refused.address],
  ['https://255.255.255.255/', refused.address],
  ['https://user@issuer.example/', refused.user],
  ['https://user:secret@issuer.example/', refused.user],
  ['https://:secret@issuer.example/', refused.user],
  ['https://issuer.example@169.254.169.254/', refused.user],
  ['https://issuer.example/#', refused.fragment],
  ['https://issuer.example/#a', refused.fragment],
  ['ftp://issuer.example/', refused.scheme],
  ['file:///etc/passwd', refused.scheme],
  ['data:application/json,{}', refused.scheme],
  ['javascript:0', refused.scheme],
  ['ws://127.0.0.1/', refused.scheme],
  ['unix:/var/run/docker.sock', refused.scheme],
  ['', refused.noUrl],
  ['issuer.example', refused.noUrl],
  ['//issuer.example/', refused.noUrl],
  ['https://', refused.noUrl],
  ['https://issuer.example:99999/', refused.noUrl],
  ['https://999.1.1.1/', refused.noUrl],
  ['https://[fe80::1%25eth0]/', refused.noUrl],
  ['https://*.issuer.example/', refused.host],
  ['https://issuer!.example/', refused.host],
  ['https://issuer example/', refused.noUrl],
  [' https://issuer.example/', refused.noUrl],
  ['https://issuer.example/\n', refused.noUrl],
  ['https://iss\tuer.example/', refused.noUrl],
  ['https:\\\\issuer.example\\', refused.noUrl],
]

describe('a URL of the configuration', () => {
  test.each(configured)('%s: %j', (text, verdict) => {
    expect(told(configuredDestination(text))).toEqual(verdict)
  })
})

const issuers = {
  'https://issuer.example:8443/a': company,
  'https://10.0.0.5/': company,
  'http://127.0.0.1:8080': loopback,
} as const

/** What an issuer's own document names. */
const discovered: readonly (readonly [
  keyof typeof issuers,
  string,
  readonly AddressKind[] | string,
])[] = [
  ['https://issuer.example:8443/a', 'https://issuer.example:8443/jwks', company],
  ['https://issuer.example:8443/a', 'https://ISSUER.example:8443/b?c', company],
  ['https://issuer.example:8443/a', 'https://issuer.example/jwks', everybody],
  ['https://issuer.example:8443/a', 'https://issuer.example.:8443/jwks', everybody],
  ['https://issuer.example:8443/a', 'https://keys.example/jwks', everybody],
  ['https://issuer.example:8443/a', 'https://keys.example:444/jwks', everybody],
  ['https://issuer.example:8443/a', 'http://issuer.example:8443/jwks', refused.scheme],
  ['https://issuer.example:8443/a', 'http://127.0.0.1/jwks', refused.scheme],
  ['https://issuer.example:8443/a', 'https://127.0.0.1/jwks', refused.literal],
  ['https://issuer.example:8443/a', 'https://10.0.0.5/jwks', refused.literal],
  ['https://issuer.example:8443/a', 'https://8.8.8.8/jwks', refused.literal],
  ['https://issuer.example:8443/a', 'https://2852039166/jwks', refused.literal],
  ['https://issuer.example:8443/a', 'https://[::ffff:a9fe:a9fe]/jwks', refused.literal],
  ['https://issuer.example:8443/a', 'https://localhost/jwks', refused.localhost],
  ['https://issuer.example:8443/a', 'https://a@issuer.example:8443/jwks', refused.user],
  ['https://issuer.example:8443/a', 'https://issuer.example:8443/jwks#', refused.fragment],
  ['https://issuer.example:8443/a', 'file:///etc/passwd', refused.scheme],
  ['https://issuer.example:8443/a', '/jwks', refused.noUrl],
  ['https://10.0.0.5/', 'https://10.0.0.5/jwks', company],
  ['https://10.0.0.5/', 'https://10.0.0.5:8443/jwks', refused.literal],
  ['https://10.0.0.5/', 'https://10.0.0.6/jwks', refused.literal],
  ['http://127.0.0.1:8080', 'http://127.0.0.1:8080/jwks', loopback],
  ['http://127.0.0.1:8080', 'http://127.1:8080/jwks', loopback],
  ['http://127.0.0.1:8080', 'http://127.0.0.1:8081/jwks', refused.scheme],
  ['http://127.0.0.1:8080', 'https://127.0.0.1:8080/jwks', refused.literal],
  ['http://127.0.0.1:8080', 'https://keys.example/jwks', everybody],
]

describe('a URL that an issuer names', () => {
  test.each(discovered)('%s says %s: %j', (issuer, text, verdict) => {
    expect(told(discoveredDestination(text, destination(issuer)))).toEqual(verdict)
  })
})

test('a permitted URL has no user, no fragment and a scheme of HTTP, whatever it was', () => {
  const parts = fc.array(
    fc.constantFrom('http', 's:', '//', '@', '#', '127.0.0.1', '.', 'a', ':1', '\\', '[::1]', '%'),
  )
  fc.assert(
    fc.property(parts, (some) => {
      const verdict = configuredDestination(some.join(''))
      if ('refused' in verdict) return
      expect(verdict.url).toMatchObject({ username: '', password: '', hash: '' })
      const isHere = verdict.kinds.join() === 'loopback'
      expect(verdict.url.protocol).toMatch(isHere ? /^https?:$/ : /^https:$/)
    }),
    { numRuns: 1_000 },
  )
})

function told(verdict: ReturnType<typeof configuredDestination>) {
  return 'refused' in verdict ? verdict.refused : verdict.kinds
}

function destination(issuer: string): Destination {
  const verdict = configuredDestination(issuer)
  if ('refused' in verdict) throw new Error(verdict.refused)
  return verdict
}
