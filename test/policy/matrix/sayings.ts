import type { GrantWords, KeyWords, RuleWords } from './estate.ts'

/** What the JWTs of a key say by themselves: DESIGN §4's table, row by row. */
export type Saying = {
  /** In the header. */
  readonly kid: boolean
  /** The header has all of its members. */
  readonly isExact: boolean
  readonly says: Readonly<Record<string, string>>
  readonly jti: boolean
  /** Seconds before now. */
  readonly backdated: number
  readonly takesIat: boolean
  readonly expires: boolean
  /** The payload names the version. */
  readonly names: boolean
  /** Seconds; the grant may say less. */
  readonly lives: number
  /** Of whoever asks, whatever its grant says. */
  readonly asks: Readonly<Record<string, RuleWords>>
  /** Every claim that is not the caller's to choose. */
  readonly sets: readonly string[]
}

const times = ['iat', 'exp']
const plain = { isExact: false, expires: true, names: false, asks: {} }

export function sayingOf({ profile }: KeyWords): Saying | undefined {
  switch (profile?.name) {
    case undefined:
      return undefined
    case 'generic-jwt': {
      const own = { kid: true, jti: true, backdated: 0, takesIat: false, lives: Infinity }
      const says = { iss: profile.issuer }
      return { ...plain, ...own, says, sets: ['iss', 'jti', ...times] }
    }
    case 'contentful-app': {
      const own = { kid: true, jti: false, backdated: 0, takesIat: false, lives: 600 }
      return { ...plain, ...own, says: { iss: profile.issuer }, sets: ['iss', ...times] }
    }
    case 'github-app':
    case 'icr-app': {
      const own = { kid: false, jti: false, backdated: 60, takesIat: true, lives: 600 }
      return { ...plain, ...own, says: { iss: profile.issuer }, sets: ['iss', ...times] }
    }
    case 'client-assertion': {
      const own = { kid: true, jti: true, backdated: 0, takesIat: false, lives: 300 }
      const says = { iss: profile.clientId, sub: profile.clientId, aud: profile.audience }
      return { ...plain, ...own, says, sets: ['iss', 'sub', 'aud', 'jti', ...times] }
    }
    case 'api-key-token': {
      const own = { kid: false, jti: false, backdated: 0, takesIat: false, lives: 0 }
      const never = { isExact: true, expires: false, names: true }
      return { ...own, ...never, says: {}, asks: { fingerprint: { text: 512 } }, sets: ['key_id'] }
    }
  }
}

export function lifeOf({ lives }: Saying, { maxLifetime = Infinity }: GrantWords): number {
  return lives < maxLifetime ? lives : maxLifetime
}
