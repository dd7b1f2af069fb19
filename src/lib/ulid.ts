import { randomBytes } from 'node:crypto'

/** Crockford's base32: https://github.com/ulid/spec */
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

const timeCharacters = 10
const randomCharacters = 16
/** Random bytes are bought in bulk: one call for 256 ids. */
const poolBytes = randomCharacters * 256

/** Makes ids from the time given: 48 bits of it and 80 random bits, 26 characters. */
export type UlidSource = (now: number) => string

export function ulidSource(): UlidSource {
  let pool = randomBytes(poolBytes)
  let used = 0
  return (now) => {
    if (used === poolBytes) {
      pool = randomBytes(poolBytes)
      used = 0
    }
    const random = pool.subarray(used, used + randomCharacters)
    used += randomCharacters
    // A byte's low five bits are uniform, so each character costs one byte and no arithmetic.
    return random.reduce((text, byte) => text + alphabet.charAt(byte & 31), timeText(now))
  }
}

function timeText(now: number): string {
  let text = ''
  for (let rest = now; text.length < timeCharacters; rest = Math.floor(rest / 32)) {
    text = alphabet.charAt(rest % 32) + text
  }
  return text
}
