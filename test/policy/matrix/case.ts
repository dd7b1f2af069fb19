import type { CallerName } from './estate.ts'

/** What JSON members hold; those that are undefined are not sent. */
export type Members = Readonly<Record<string, unknown>>

/** A request before anything of it is encoded: the oracle reads this, the service what it becomes. */
export type Ask =
  | { readonly form: 'claims'; readonly claims: Members }
  | { readonly form: 'signingInput'; readonly header: Members; readonly payload: Members }
  | { readonly form: 'message'; readonly text: string; readonly isJws: boolean }
  | { readonly form: 'digest'; readonly bytes: number }
  | { readonly form: 'read' }

export type Case = {
  readonly caller: CallerName
  readonly key: string
  readonly ask: Ask
  /** Sent in the same second, before it. */
  readonly before?: Ask
}

export function segment(members: Members): string {
  return Buffer.from(JSON.stringify(members)).toString('base64url')
}
