import { describe, expect, test } from 'vitest'
import { ServiceError } from '../../src/errors.ts'
import { utf8 } from '../../src/lib/bytes.ts'
import { silentLogger } from '../../src/lib/log.ts'
import { OpenedVersions } from '../../src/service/opened-versions.ts'
import { Proofs } from '../../src/service/proofs.ts'
import type { OpenedSigner, SigningInput, Vault } from '../../src/signing/signer.ts'
import { houseKeys } from '../support/house.ts'
import { manualClock } from '../support/manual-clock.ts'
import { memoryKey } from '../support/memory-key.ts'
import { isPending } from '../support/pending.ts'
import { eventually } from '../support/serving.ts'
import { type Held, heldVersion, patience } from '../support/signing-service.ts'
import { failing, held as heldBack, watchedSigner } from '../support/watched-signer.ts'

const { reports, documents, mac } = houseKeys
const tenMinutes = 600_000

/** What one process would find out about versions that wait for their switch. */
function processOver(...held: readonly Held[]) {
  const clock = manualClock()
  const watched = held.map(({ version, signer }) => ({ version, signer: watchedSigner(signer) }))
  const vault: Vault = {
    async open({ resource }): Promise<OpenedSigner> {
      const found = watched.find(({ version }) => version.resource === resource)
      if (!found) throw new ServiceError('vault_key_unusable', 'No such key')
      return { ...found.signer, custody: 'software' }
    },
  }
  const deps = { vaults: new Map([['local', vault]]), clock, log: silentLogger }
  const proofs = new Proofs(new OpenedVersions(deps), deps)
  const versions = held.map(({ version }) => version)
  return {
    clock,
    proofs,
    versions,
    signers: watched.map(({ signer }) => signer),
    prove: (of = versions) => proofs.prove(of),
    codes: () => proofs.found.proofs.map(({ key, n, code }) => `${key}@${n} ${code}`),
  }
}

describe.each([
  ['a published version', heldVersion(reports, { state: 'published' })],
  ['a version without a registry', heldVersion(documents, { state: 'created' })],
  ['a secret', heldVersion(mac, { state: 'created' })],
])('%s', (_, held) => {
  test('is proved by a signature that is no JWS, and verifies', async () => {
    const { prove, proofs, signers, clock } = processOver(held)
    await prove()
    expect(proofs.found.proofs).toEqual([
      { key: held.version.key, n: 1, code: 'ok', at: clock.now() },
    ])
    const texts = (signers[0]?.calls ?? []).map(({ message }) =>
      Buffer.from(message ?? []).toString(),
    )
    expect(texts.length).toBeGreaterThan(0)
    for (const text of texts) expect(text).toMatch(/^chancery .* not a JWS$/)
  })

  test('whose vault signs with another key is not', async () => {
    const { prove, codes, signers } = processOver(held)
    const other = memoryKey(held.version.algorithm, 'other')
    const own = (input: SigningInput) => other.signer.sign(input, other.algorithm, patience)
    signers[0]?.answer(() => own({ message: utf8('any text'), digest: undefined }))
    await prove()
    const expected = held.version.spki ? 'signature_invalid' : 'vault_key_unusable'
    expect(codes()).toEqual([`${held.version.key}@1 ${expected}`])
  })
})

describe('a version that cannot be proved', () => {
  const standby = heldVersion(reports, { n: 2, state: 'published' })

  test.each([
    ['that its vault refuses to sign with', 'vault_denied'],
    ['whose vault throttles', 'vault_throttled'],
    ['that was disabled in its vault', 'vault_key_unusable'],
  ] as const)('%s: the reason is told as %s', async (_, code) => {
    const { prove, codes, signers } = processOver(standby)
    signers[0]?.answer(failing(new ServiceError(code, 'No')))
    await prove()
    expect(codes()).toEqual([`reports@2 ${code}`])
  })

  test('because it cannot be opened: the reason is told', async () => {
    const { prove, codes } = processOver(standby)
    const gone = { ...standby.version, resource: 'gone' }
    const elsewhere = { ...standby.version, n: 3, vault: 'elsewhere' }
    await prove([gone, elsewhere])
    expect(codes()).toEqual(['reports@2 vault_key_unusable', 'reports@3 vault_unavailable'])
  })

  test('is tried again, less and less often, until it can be', async () => {
    const { prove, codes, signers, clock } = processOver(standby)
    signers[0]?.answer(failing(new ServiceError('vault_unavailable', 'No')))
    const triedAt: number[] = []
    for (; clock.monotonicMs() < 100_000; clock.advance(500)) {
      const before = signers[0]?.calls.length ?? 0
      await prove()
      if ((signers[0]?.calls.length ?? 0) > before) triedAt.push(clock.monotonicMs())
    }
    expect(triedAt).toEqual([0, 1_000, 3_000, 7_000, 15_000, 31_000, 61_000, 91_000])
    signers[0]?.answer((signature) => signature)
    clock.advance(30_000)
    await prove()
    expect(codes()).toEqual(['reports@2 ok'])
  })

  test('keeps no other from being proved', async () => {
    const [stuck, other] = [standby, heldVersion(documents, { state: 'created' })]
    const { prove, codes, signers } = processOver(stuck, other)
    const holding = heldBack()
    signers[0]?.answer(holding.onItsWay)
    const first = prove()
    expect(await isPending(first)).toBe(true)
    await prove([other.version, stuck.version])
    await eventually(() => codes().length > 0)
    expect(codes()).toEqual(['documents@1 ok'])
    holding.letGo()
    await first
    expect(codes().toSorted()).toEqual(['documents@1 ok', 'reports@2 ok'])
    expect(signers[0]?.calls).toHaveLength(1) // one at a time
  })
})

describe('a proof', () => {
  const standby = heldVersion(reports, { n: 2, state: 'published' })

  test('costs one signature, and another after ten minutes: what was disabled meanwhile is found out', async () => {
    const { prove, codes, signers, clock, proofs } = processOver(standby)
    for (let i = 0; i < 10; i += 1) await prove()
    expect(signers[0]?.calls).toHaveLength(1)
    const { revision } = proofs.found
    signers[0]?.answer(failing(new ServiceError('vault_key_unusable', 'Disabled')))
    clock.advance(tenMinutes - 1)
    await prove()
    expect(codes()).toEqual(['reports@2 ok'])
    clock.advance(1)
    await prove()
    expect(codes()).toEqual(['reports@2 vault_key_unusable'])
    expect(proofs.found.revision).toBeGreaterThan(revision)
  })

  test('is forgotten with its version, also when it is found too late', async () => {
    const { prove, codes, signers, versions } = processOver(standby)
    await prove()
    await prove([])
    expect(codes()).toEqual([])
    const holding = heldBack()
    signers[0]?.answer(holding.onItsWay)
    const late = prove(versions)
    expect(await isPending(late)).toBe(true)
    await prove([])
    holding.letGo()
    await late
    expect(codes()).toEqual([])
  })
})
