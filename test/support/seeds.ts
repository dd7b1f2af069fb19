import type { Edit } from './edit.ts'
import { diesAfter, diesAt, die } from './dying.ts'

const generate = 'src/rotation/generate.ts'

/** Points at which `rotate` may die, in the order in which it comes to them. */
export const rotateDies = {
  'in the transaction of the intent': diesAfter(generate, 'await openEntry(transaction, entry)'),
  'after the intent': diesAt(generate, 'const resource ='),
  'while the vault writes the key': diesAfter(
    'src/lib/file.ts',
    'await writeNew(temporary, bytes, mode)',
  ),
  'after the vault made the key': diesAt(generate, 'const version = await adopt('),
  'after its proof': diesAt(generate, 'const at = version.createdAt'),
  'in the transaction of the version': diesAfter(
    generate,
    'await insertVersion(transaction.connection, version)',
  ),
  'after the version': diesAt(generate, `return { version: name, step: 'generated' }`),
  'in the transaction of the switch': diesAfter(
    'src/rotation/activate.ts',
    `await changeState(connection, version, 'active', at)`,
  ),
  'before the lease is given back': diesAt(
    'src/rotation/rotate.ts',
    'await releaseLease(deps.store, lease)',
  ),
} satisfies Record<string, readonly Edit[]>

/** Mistakes in `rotate`, each of which leaves something behind when it dies. */
export const rotateMistakes = {
  'no intent is written': [{ file: generate, from: 'await openEntry(transaction, entry)', to: '' }],
  'an open intent is forgotten': [
    {
      file: 'src/rotation/next-step.ts',
      from: `if (!openIntent) return`,
      to: 'if (openIntent || !openIntent) return',
    },
  ],
  'the intent stays open': [
    { file: generate, from: 'await closeEntry(transaction, id, resource)', to: '' },
  ],
  'numbers are counted from the versions alone': [
    {
      file: 'src/store/journal.ts',
      from: `const tables = ['versions', 'journal', 'orphans'] as const`,
      to: `const tables = ['versions'] as const`,
    },
    {
      file: 'src/rotation/next-step.ts',
      from: `if (!openIntent) return`,
      to: 'if (openIntent || !openIntent) return',
    },
  ],
} satisfies Record<string, readonly Edit[]>

const sign = 'src/service/sign.ts'

/** Mistakes in `serve` that a kill brings to light. */
export const serveMistakes = {
  'signatures are released without waiting for their intents': [
    {
      file: sign,
      from: 'Promise.all([recording, signing])',
      to: 'Promise.all([deps.clock.monotonicMs(), signing])',
    },
  ],
  'batches are not committed': [
    {
      file: 'src/store/audit-store.ts',
      from: `this.#database.exec('commit')`,
      to: `this.#database.exec(mode === 'immediate' ? 'rollback' : 'commit')`,
    },
  ],
  'the digest is that of other bytes': [
    {
      file: sign,
      from: 'inputDigest: inputDigest(content.bytes)',
      to: 'inputDigest: inputDigest(content.bytes.subarray(1))',
    },
  ],
  'records are not linked': [
    {
      file: 'src/audit/chain.ts',
      from: 'this.#head = link(this.#head, body)',
      to: 'this.#head = link(chainRoot, body)',
    },
  ],
  'a run goes on with the name of the one before': [
    {
      file: 'src/compose/foundation.ts',
      from: 'writer: ulidSource()(clock.now())',
      to: `writer: '01JD0000000000000000000000'`,
    },
  ],
  'the outcome holds the digest of something else': [
    {
      file: sign,
      from: `hash('sha256', signed.signature, 'base64url')`,
      to: `hash('sha256', 'something else', 'base64url')`,
    },
  ],
} satisfies Record<string, readonly Edit[]>

/** A kill leaves to the system what was written and not synced, so no kill brings this to light. */
export const storeMistakes = {
  'commits are not synced': [
    {
      file: 'src/store/sqlite.ts',
      from: 'pragma synchronous = full',
      to: 'pragma synchronous = off',
    },
  ],
} satisfies Record<string, readonly Edit[]>

/** Mistakes in how an intent's transaction learns who may sign. */
export const stateMistakes = {
  'the state is read once, at the start': [
    {
      file: 'src/store/signing-state.ts',
      from: 'if (dataVersion === this.#readAt) return dataVersion',
      to: 'if (this.#readAt !== undefined) return dataVersion',
    },
  ],
  'the state is read before the transaction': [
    {
      file: 'src/store/audit-store.ts',
      from: `return storeCall(() => this.#transaction('immediate', () => this.#store(batch, now)))`,
      to: `this.#state.refresh(); return storeCall(() => this.#transaction('immediate', () => this.#store(batch, now)))`,
    },
    {
      file: 'src/store/audit-store.ts',
      from: 'this.#state.refresh() const verdicts',
      to: 'const verdicts',
    },
  ],
} satisfies Record<string, readonly Edit[]>

const prepare = 'src/service/prepare.ts'

/** Mistakes between what is checked and what is signed, and in what is answered to nonsense. */
export const signMistakes = {
  'a signing input is written anew before it is signed': [
    {
      file: prepare,
      from: 'const content = signingInputContent(text)',
      to: 'const content = signingInputContent(`${segment(header)}.${segment(claims)}`)',
    },
  ],
  'other claims are signed than were checked': [
    {
      file: prepare,
      from: 'const payload = segment(claims)',
      to: 'const payload = segment({ ...claims, ...sent, iat: 1_800_000_000 })',
    },
  ],
  'of two members the last one counts': [
    {
      file: 'src/lib/json.ts',
      from: 'if (countMembers(value) === names) return value',
      to: 'return value',
    },
  ],
  'escapes in names are read': [
    { file: 'src/lib/json.ts', from: String.raw`|| name.includes('\\')`, to: '' },
  ],
  'key_id does not choose the version': [
    { file: prepare, from: 'kid: named?.kid', to: 'kid: undefined' },
  ],
  'the record has another exp': [
    { file: sign, from: 'exp: prepared.expiresAt', to: 'exp: clock.now()' },
  ],
  'bytes that are no text end in an error of ours': [
    {
      file: 'src/lib/bytes.ts',
      from: `throw new ServiceError('malformed_request', 'not UTF-8', { cause })`,
      to: 'throw cause',
    },
  ],
} satisfies Record<string, readonly Edit[]>

/** Mistakes that let somebody in, or something out. */
export const doorMistakes = {
  'everybody is let in': [
    {
      file: 'src/http/endpoint.ts',
      from: "if ('caller' in proof) return proof.caller",
      to: "return 'caller' in proof ? proof.caller : { name: 'a', attributes: {} }",
    },
  ],
  'everything is granted': [
    {
      file: 'src/policy/decide.ts',
      from: "if (!first) return { verdict: 'hide' }",
      to: "if (!first) return { verdict: 'refuse', code: 'operation_not_granted' }",
    },
  ],
  'the credential is logged': [
    {
      file: 'src/http/endpoint.ts',
      from: 'const credential = credentialOf(context)',
      to: 'const credential = credentialOf(context); seen.ids = { ...seen.ids, callerRequest: credential?.text }',
    },
  ],
} satisfies Record<string, readonly Edit[]>

/** Mistakes in what a process says that it could sign with. */
export const proofMistakes = {
  'every proof is good': [
    {
      file: 'src/service/proofs.ts',
      from: 'const failure = await this.#try(version)',
      to: 'const failure = undefined; await this.#try(version)',
    },
  ],
  'nothing is signed to prove it': [
    {
      file: 'src/keys/proof.ts',
      from: 'else await signMessage(signingKey, proofText, signal)',
      to: '',
    },
  ],
  'what a process says stays when it stops': [
    { file: 'src/store/heartbeats.ts', from: 'this.#remove.run(this.#id)', to: '' },
  ],
} satisfies Record<string, readonly Edit[]>

/** Halfway through the first migration. */
export const migrationDies = {
  'halfway through the migration': [
    {
      file: 'src/store/migrations.ts',
      from: 'for (const statement of firstStatements) await',
      to: `let left = 6; for (const statement of firstStatements) if (left-- === 0) ${die} else await`,
    },
  ],
} satisfies Record<string, readonly Edit[]>

/** All of them, by name. */
export const seeds: Readonly<Record<string, readonly Edit[]>> = {
  ...rotateDies,
  ...rotateMistakes,
  ...serveMistakes,
  ...stateMistakes,
  ...storeMistakes,
  ...signMistakes,
  ...doorMistakes,
  ...proofMistakes,
  ...migrationDies,
}
