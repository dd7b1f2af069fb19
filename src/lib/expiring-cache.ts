import { LRUCache } from 'lru-cache'

/** A bounded map whose entries end; the one least lately used goes first. */
export interface ExpiringCache<V> {
  get(key: string, now: number): V | undefined
  set(key: string, value: V, expiresAt: number): void
}

/** Instants are whatever clock the caller uses, the same one in both calls. */
export function expiringCache<V extends object>(entriesMax: number): ExpiringCache<V> {
  const entries = new LRUCache<string, { readonly value: V; readonly expiresAt: number }>({
    max: entriesMax,
  })
  return {
    get(key, now) {
      const entry = entries.get(key)
      return entry && now < entry.expiresAt ? entry.value : undefined
    },
    set: (key, value, expiresAt) => void entries.set(key, { value, expiresAt }),
  }
}
