import type { Caller } from '../auth/caller.ts'
import { ServiceError } from '../errors.ts'
import { isSuspended } from '../keys/suspension.ts'
import { versionName } from '../keys/version.ts'
import { assertBodyFits } from '../lib/body-size.ts'
import { decodeBase64url, decodeUtf8, utf8 } from '../lib/bytes.ts'
import type { Clock } from '../lib/clock.ts'
import type { UlidSource } from '../lib/ulid.ts'
import type { Grants } from '../policy/decide.ts'
import type { Grant, Operation } from '../policy/grant.ts'
import type { Store } from '../store/store.ts'
import { listSuspensions } from '../store/suspensions.ts'
import { listVersionsOf } from '../store/versions.ts'
import { granted } from './authorize.ts'
import { prepare, type VersionChoice } from './prepare.ts'
import { needs } from './sign-form.ts'
import { readSignRequest } from './sign-request.ts'
import { isActive, signingVersion, versionNamed } from './version-choice.ts'

/** What would become of a request, and why. */
export type Explanation = {
  readonly operation: Operation
  /** Its place in the configuration; undefined when none covers the request. */
  readonly grant: string | undefined
  readonly answer:
    | {
        readonly verdict: 'allow'
        /** `key@n`. */
        readonly version: string
        /** What would be signed, as text; empty where it is a message or a digest. */
        readonly header: string
        readonly payload: string
        /** Epoch milliseconds; undefined where nothing expires. */
        readonly expiresAt: number | undefined
      }
    | { readonly verdict: 'refuse'; readonly error: ServiceError }
}

export type ExplainDeps = {
  readonly store: Store
  readonly grants: Grants
  readonly clock: Clock
  readonly newId: UlidSource
}

/**
 * Takes a request through the very functions that a real one passes, up to the vault: reading its
 * body, the grant, what depends on the key, the claim rules, and whether its version may sign now.
 *
 * @param body as it would be sent.
 * @throws {ServiceError} `request_too_large`, `malformed_request` for a body that no route would read,
 *   `store_unavailable`.
 */
export async function explain(
  deps: ExplainDeps,
  { caller, key, body }: { readonly caller: Caller; readonly key: string; readonly body: unknown },
): Promise<Explanation> {
  assertBodyFits(utf8(JSON.stringify(body ?? null)).length)
  const { form } = readSignRequest(body)
  const { operation, purpose } = needs[form.kind]
  const { connection } = deps.store
  const all = await listVersionsOf(connection, key)
  const versions: VersionChoice = {
    activeKid: () => all.findLast(isActive)?.kid,
    versionNamed: (_, kid) => versionNamed(all, kid),
  }
  const suspensions = new Set(
    (await listSuspensions(connection)).map(({ kind, name }) => `${kind} ${name}`),
  )
  let grant: Grant | undefined
  try {
    grant = granted(deps.grants, { caller, key, operation, purpose })
    const prepared = prepare({ ...deps, versions }, { form, grant, caller })
    const version = signingVersion(all, prepared.kid)
    const { signingInput = '' } = prepared.contentFor(version)
    const subject = { caller: caller.name, key, version: version.n }
    if (isSuspended(({ kind, name }) => suspensions.has(`${kind} ${name}`), subject)) {
      throw new ServiceError('suspended', 'Signing is suspended')
    }
    const [header = '', payload = ''] = signingInput.split('.').map(text)
    const { expiresAt } = prepared
    const named = versionName(key, version.n)
    return {
      operation,
      grant: grant.name,
      answer: { verdict: 'allow', version: named, header, payload, expiresAt },
    }
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error
    return { operation, grant: grant?.name, answer: { verdict: 'refuse', error } }
  }
}

function text(segment: string): string {
  return decodeUtf8(decodeBase64url(segment))
}
