import { expect, test } from 'vitest'
import { signFor } from '../../src/service/sign.ts'
import type { Signer } from '../../src/signing/signer.ts'
import { goodClaims, house, houseKeys } from '../support/house.ts'
import { memoryKey } from '../support/memory-key.ts'
import { commandFor, heldVersion, patience, signingService } from '../support/signing-service.ts'

/** What the audit keeps of a vault that calls its request so. */
async function kept(vaultRequest: string | undefined): Promise<string | undefined> {
  const { signer: inner } = memoryKey('ES256')
  const signer: Signer = {
    ...inner,
    sign(input, row, signal, note) {
      if (vaultRequest !== undefined) note?.(vaultRequest)
      return inner.sign(input, row, signal)
    },
  }
  const held = [heldVersion(houseKeys.reports, { signer })]
  const { deps, audit } = await signingService({ held, grants: house().grants })
  await signFor(deps, commandFor('reports', { kind: 'claims', ...goodClaims }), patience)
  return audit.outcomes[0]?.vaultRequest
}

test.each(['7e1c1d1e-8a52-4c1a-9f3e-5d2f6b7a8c9d', 'a-request'])(
  'the outcome has what the vault calls its request: %s',
  async (id) => {
    expect(await kept(id)).toBe(id)
  },
)

test.each([undefined, '', 'two words', 'line\nbreak', 'x'.repeat(129), '{"a":1}'])(
  'what is no id is not kept: %j',
  async (text) => {
    expect(await kept(text)).toBeUndefined()
  },
)
