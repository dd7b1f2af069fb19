import { describe, expect, test } from 'vitest'
import { algorithmNames } from '../../../src/signing/algorithms.ts'
import { changed, complaintsOf, loadText } from '../../support/config-text.ts'

const region = 'eu-central-1'
const withVault = (members: string) =>
  changed('\nkeys:\n', `\n  aws: { provider: aws-kms, ${members} }\nkeys:\n`)
const withEndpoint = (endpoint: string) =>
  withVault(`region: eu-central-1, endpoint: '${endpoint}'`)

test('a region is all it needs; 64 requests at once, each of at most 2 s, are the default', () => {
  const { config } = loadText(withVault('region: eu-central-1'))
  expect(config.vaults.get('aws')).toEqual({
    provider: 'aws-kms',
    region: 'eu-central-1',
    concurrency: 64,
    deadline: 2_000,
  })
  expect(config.warnings).toEqual([])
})

test('its deadline, requests at once and quota can be said', () => {
  const text = withVault('region: eu-central-1, deadline: 3s, concurrency: 8, quota: 600/m')
  expect(loadText(text).config.vaults.get('aws')).toMatchObject({
    deadline: 3_000,
    concurrency: 8,
    quota: 10,
  })
})

test('its keys are no software keys', () => {
  const text = withVault('region: eu-central-1').replace('allowSoftwareKeys: true\n', '')
  expect(complaintsOf(text).map(({ path }) => path)).toEqual(['vaults.local.provider'])
})

test.each(algorithmNames)('a key of %s can be in it', (name) => {
  const key = `\n  one: { vault: aws, alg: ${name}, purpose: bytes }`
  const text = withVault('region: eu-central-1')
  expect(complaintsOf(changed('\nkeys:', `\nkeys:${key}`, text))).toEqual([])
})

test.each([
  'eu-central-1',
  'us-gov-west-1',
  'cn-north-1',
  'ap-southeast-7',
  'us-iso-east-1',
  'eusc-de-east-1',
])('region %s', (name) => {
  expect(complaintsOf(withVault(`region: ${name}`))).toEqual([])
})

describe('refused, each with its place', () => {
  test.each([
    ['no region', withVault('concurrency: 8'), 'vaults.aws.region'],
    ['a zone', withVault('region: eu-central-1a'), 'vaults.aws.region'],
    ['a host for a region', withVault('region: evil.example/'), 'vaults.aws.region'],
    ['no connection', withVault('region: eu-central-1, concurrency: 0'), 'vaults.aws.concurrency'],
    ['no time', withVault('region: eu-central-1, deadline: 0s'), 'vaults.aws.deadline'],
    ['a number for a time', withVault('region: eu-central-1, deadline: 2'), 'vaults.aws.deadline'],
    ['no quota', withVault('region: eu-central-1, quota: 0/s'), 'vaults.aws.quota'],
    ['an unknown limit', withVault('region: eu-central-1, retries: 3'), 'vaults.aws.retries'],
    ['a key in it', withVault('region: eu-central-1, accessKeyId: AKIA'), 'vaults.aws.accessKeyId'],
    ['http in the open', withEndpoint('http://kms.example'), 'vaults.aws.endpoint'],
    ['http by a name', withEndpoint('http://localhost:4566'), 'vaults.aws.endpoint'],
    ['a metadata service', withEndpoint('http://169.254.169.254'), 'vaults.aws.endpoint'],
    ['a password in it', withEndpoint('https://a:b@kms.example'), 'vaults.aws.endpoint'],
    ['a path', withEndpoint('https://kms.example/x'), 'vaults.aws.endpoint'],
    ['no URL', withEndpoint('kms'), 'vaults.aws.endpoint'],
    ['a host of others', withEndpoint('https://kms.example'), 'vaults.aws.endpoint'],
    ['a bucket', withEndpoint('https://kms.s3.amazonaws.com'), 'vaults.aws.endpoint'],
    [
      'trust in AWS',
      withVault(`region: ${region}, trustEndpoint: true`),
      'vaults.aws.trustEndpoint',
    ],
    ['doubt', withVault(`region: ${region}, trustEndpoint: false`), 'vaults.aws.trustEndpoint'],
    [
      'no profile',
      withVault(`region: ${region}, credentials: {}`),
      'vaults.aws.credentials.profile',
    ],
    [
      'a section for a profile',
      withVault(`region: ${region}, credentials: { profile: 'a] [b' }`),
      'vaults.aws.credentials.profile',
    ],
  ])('%s', (_, text, path) => {
    expect(complaintsOf(text).map((complaint) => complaint.path)).toEqual([path])
  })
})

test.each([
  'https://kms.eu-west-1.amazonaws.com',
  'https://kms-fips.eu-west-1.amazonaws.com',
  'https://kms.eu-west-1.api.aws',
  'https://vpce-0abc-1x2y.kms.eu-west-1.vpce.amazonaws.com',
])(
  'an endpoint of another region is refused, since KMS would refuse what is signed for it: %s',
  (endpoint) => {
    const message = expect.stringContaining(
      `an endpoint of KMS in eu-west-1, and region is ${region}: correct one of them`,
    )
    expect(complaintsOf(withEndpoint(endpoint))).toEqual([{ path: 'vaults.aws.endpoint', message }])
    const there = withVault(`region: eu-west-1, endpoint: '${endpoint}'`)
    expect(complaintsOf(there)).toEqual([])
  },
)

test('its credentials can be those of a profile, and an endpoint of others can be trusted', () => {
  const more = `endpoint: 'https://kms.example', trustEndpoint: true, credentials: { profile: signer }`
  const { config } = loadText(withVault(`region: ${region}, ${more}`))
  expect(config.vaults.get('aws')).toMatchObject({
    credentials: { profile: 'signer' },
    trustEndpoint: true,
  })
})

test.each([
  'http://127.0.0.1:4566',
  'http://[::1]:4566',
  'https://kms-fips.eu-central-1.amazonaws.com',
])('an endpoint %s is taken, and said of', (endpoint) => {
  const { config } = loadText(withEndpoint(endpoint))
  expect(config.vaults.get('aws')).toMatchObject({ endpoint })
  expect(config.warnings.map(({ path }) => path)).toEqual(['vaults.aws.endpoint'])
})
