import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { awsEnvironment, withAwsVault } from '../support/aws-vault.ts'
import { fakeKms, type FakeKms } from '../support/fake-kms.ts'
import { type Home, homesOfThisFile, withKey } from '../support/home.ts'

const homes = homesOfThisFile()
const env = awsEnvironment
const outage = { kind: 'html', status: 503 } as const
let kms: FakeKms

beforeEach(async () => {
  kms = await fakeKms()
})
afterEach(() => kms[Symbol.asyncDispose]())

function homeInAws(key: string): Home {
  const home = homes.copy()
  home.edit((text) => withKey(withAwsVault(text, kms.endpoint), key))
  return home
}

/** Seeded: with the vaults as they are opened, without their guards, each ends with exit code 5. */
describe('a request of a command that a vault does not answer once is made once more', () => {
  test('by sync, which looks at every version', async () => {
    const home = homeInAws('documents: { vault: aws, alg: ES256, purpose: bytes }')
    expect(await home.run(['rotate'], { env })).toMatchObject({ exitCode: 0 })
    const before = kms.count('DescribeKey')
    kms.next(outage, { action: 'DescribeKey' })
    expect(await home.run(['sync'], { env })).toMatchObject({ exitCode: 0 })
    expect(kms.count('DescribeKey') - before).toBeGreaterThanOrEqual(2)
  })

  test('by import, which proves what has arrived', async () => {
    const home = homeInAws(
      'documents: { vault: aws, alg: HS256, purpose: bytes, source: imported }',
    )
    kms.next(outage, { action: 'GenerateMac' })
    const input = 'a-secret-of-more-than-thirty-two-bytes'
    const run = await home.run(['import', 'documents', '--secret', '-'], { env, input })
    expect(run).toMatchObject({ exitCode: 0 })
  })
})
