import { deadline, within } from '../lib/deadline.ts'
import type { OpenedSigner, QuotaShare, Signer, Vault } from './signer.ts'
import { VaultGuard } from './vault-guard.ts'
import {
  oneOfAll,
  VaultQuota,
  type VaultSurroundings,
  watched,
  withRetryAfter,
} from './vault-requests.ts'

type Work<T> = (signal: AbortSignal) => Promise<T>

/** Sends one request, or refuses to. */
type Send = <T>(work: Work<T>, signal: AbortSignal) => Promise<T>
type Spend = <T>(work: Work<T>, signal: AbortSignal, share: QuotaShare) => Promise<T>

/** What may be sent to a vault in this way. */
type Ways = { readonly sign: Spend; readonly inspect: Send }

/** Looking at a key takes longer than signing: connections are made, and credentials fetched. */
const inspectionMsMin = 8_000

export type RemoteLimits = {
  /** Of one signature. */
  readonly deadlineMs: number
  readonly concurrency: number
  readonly quotaPerSecond: number | undefined
}

/** How a vault is at this moment. */
export interface Condition {
  readonly breakerState: VaultGuard['breakerState']
  readonly waiting: number
}

/** A vault over a network, behind its own guard; opening, inspecting and signing share it. */
export function guardedVault(
  vault: Vault,
  { deadlineMs, ...limits }: RemoteLimits,
  surroundings: VaultSurroundings,
): { readonly vault: Vault; readonly condition: Condition } {
  const guard = new VaultGuard(limits, surroundings)
  const inspectionMs = Math.max(deadlineMs, inspectionMsMin)
  const ways: Ways = {
    sign: (work, signal, share) => guard.request(work, deadlineMs, signal, share),
    inspect: (work, signal) => guard.look(work, inspectionMs, signal),
  }
  return { vault: behind(vault, ways), condition: guard }
}

export type LocalLimits = {
  readonly deadlineMs: number | undefined
  readonly quotaPerSecond: number | undefined
}

/** A vault on this host: it cannot be cut off, queues by itself, and fails the same way twice. */
export function localVault(
  vault: Vault,
  { deadlineMs, quotaPerSecond }: LocalLimits,
  surroundings: VaultSurroundings,
): Vault {
  const quota = new VaultQuota(quotaPerSecond, surroundings)
  const told = (error: unknown) => {
    throw withRetryAfter(error)
  }
  const inspect: Send = (work, signal) =>
    watched(surroundings, () => work(signal), signal).catch(told)
  const sign: Spend = async (work, caller, share) => {
    quota.spend(share)
    if (deadlineMs === undefined) return inspect(work, caller)
    using limit = deadline(deadlineMs, caller)
    const { signal } = limit
    return await watched(surroundings, () => within(work(signal), signal), caller).catch(told)
  }
  return behind(vault, { sign, inspect })
}

function behind(vault: Vault, { sign, inspect }: Ways): Vault {
  return {
    async open(version, signal): Promise<OpenedSigner> {
      const opened = await inspect((limited) => vault.open(version, limited), signal)
      return { ...opened, ...signer(opened, { sign, inspect }) }
    },
  }
}

function signer(opened: OpenedSigner, { sign, inspect }: Ways): Signer {
  const { quota = oneOfAll } = opened
  return {
    publicKey: (signal) => inspect((limited) => opened.publicKey(limited), signal),
    sign: (input, algorithm, signal, note) =>
      sign((limited) => opened.sign(input, algorithm, limited, note), signal, quota),
  }
}
