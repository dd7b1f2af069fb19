import {
  es256,
  forged,
  forgedJwk,
  hmacWithPublicKey,
  pssPadded,
  rs512,
  token,
  unsigned,
} from './issuer.ts'
import { b64, now, type Row } from './row.ts'

const evil = 'https://evil.example'
const bearer = (text: string) => ({ authorization: `Bearer ${text}` })
const apiKey = `chn_${'A'.repeat(10)}_${'b'.repeat(49)}`
const header = (members: object) => ({ header: members })
const json = 'Content-Type: application/json'
const good = 'Authorization: <good>'
const other = 'Authorization: <other>'

/** No body is read for any of these. */
export const badCredentials: readonly Row[] = [
  ['no credential', { authorization: null }, '401 unauthenticated no_credential'],
  ['an empty header', { authorization: '' }, '401 unauthenticated no_credential'],
  ['a scheme alone', { authorization: 'Bearer' }, '401 unauthenticated no_credential'],
  ['another scheme', { authorization: 'Basic YTpi' }, '401 unauthenticated no_credential'],
  ['two tokens in one header', bearer(`${apiKey} ${apiKey}`), '401 unauthenticated no_credential'],
  ['two tokens and a comma', bearer(`${apiKey},${apiKey}`), '401 unauthenticated no_credential'],
  ['a token of 9,000 letters', bearer('a'.repeat(9_000)), '401 unauthenticated no_credential'],
  ['two Authorization headers', { wire: [good, other, json] }, '400 two_credentials'],
  ['two equal ones', { wire: [good, good, json] }, '400 two_credentials'],
  ['the same in another case', { wire: [good, good.toLowerCase(), json] }, '400 two_credentials'],

  ['an API key that nobody has', bearer(apiKey), '401 unauthenticated unknown_api_key'],
  ['an API key that is cut off', bearer(apiKey.slice(0, -1)), '401 unauthenticated malformed'],
  ['an API key in capitals', bearer(apiKey.toUpperCase()), '401 unauthenticated malformed'],
  ['an API key’s id alone', bearer(apiKey.slice(0, 14)), '401 unauthenticated malformed'],

  ['a forged signature', token({}, { by: forged }), '401 unauthenticated bad_signature'],
  [
    'a forged token with its own key inside',
    token({}, { by: forged, ...header({ jwk: forgedJwk }) }),
    '401 unauthenticated malformed',
  ],
  [
    'a key id of nobody',
    token({}, header({ kid: 'x' })),
    '401 unauthenticated unknown_signing_key',
  ],
  [
    'the id of another key',
    token({}, header({ kid: 'ec' })),
    '401 unauthenticated unknown_signing_key',
  ],
  [
    'a key id that is a path',
    token({}, header({ kid: '../rsa' })),
    '401 unauthenticated unknown_signing_key',
  ],
  [
    'a key id of 257 letters',
    token({}, header({ kid: 'k'.repeat(257) })),
    '401 unauthenticated malformed',
  ],
  [
    'alg none',
    token({}, { by: unsigned, ...header({ alg: 'none' }) }),
    '401 unauthenticated algorithm_not_listed',
  ],
  [
    'alg NONE, signed',
    token({}, header({ alg: 'NONE' })),
    '401 unauthenticated algorithm_not_listed',
  ],
  ['no signature', token({}, { by: unsigned }), '401 unauthenticated bad_signature'],
  [
    'HMAC with the public key',
    token({}, { by: hmacWithPublicKey, ...header({ alg: 'HS256' }) }),
    '401 unauthenticated algorithm_not_listed',
  ],
  [
    'HMAC that calls itself RS256',
    token({}, { by: hmacWithPublicKey }),
    '401 unauthenticated bad_signature',
  ],
  [
    'alg in another case',
    token({}, header({ alg: 'rs256' })),
    '401 unauthenticated algorithm_not_listed',
  ],
  [
    'another RSA padding',
    token({}, { by: pssPadded, ...header({ alg: 'PS256' }) }),
    '401 unauthenticated algorithm_not_listed',
  ],
  [
    'another padding by the name of RS256',
    token({}, { by: pssPadded }),
    '401 unauthenticated bad_signature',
  ],
  [
    'another hash',
    token({}, { by: rs512, ...header({ alg: 'RS512' }) }),
    '401 unauthenticated algorithm_not_listed',
  ],
  [
    'another hash by the name of RS256',
    token({}, { by: rs512 }),
    '401 unauthenticated bad_signature',
  ],
  [
    'a good signature of an alg that no caller lists',
    token({}, { by: es256, ...header({ alg: 'ES256', kid: 'ec' }) }),
    '401 unauthenticated algorithm_not_listed',
  ],
  ['alg of no text', token({}, header({ alg: ['RS256'] })), '401 unauthenticated malformed'],
  ['crit', token({}, header({ crit: ['b64'] })), '401 unauthenticated malformed'],
  [
    'crit and b64',
    token({}, header({ crit: ['b64'], b64: false })),
    '401 unauthenticated malformed',
  ],
  ['b64 alone', token({}, header({ b64: true })), '401 unauthenticated malformed'],
  ['jku', token({}, header({ jku: evil })), '401 unauthenticated malformed'],
  ['x5u', token({}, header({ x5u: evil })), '401 unauthenticated malformed'],
  [
    'a token of another type',
    token({}, header({ typ: 'secevent+jwt' })),
    '401 unauthenticated malformed',
  ],
  [
    'alg twice in the header',
    token({}, { headerText: '{"alg":"none","alg":"RS256","kid":"rsa"}' }),
    '401 unauthenticated malformed',
  ],
  [
    'an escape in a name of the header',
    token({}, { headerText: String.raw`{"\u0061lg":"RS256","kid":"rsa"}` }),
    '401 unauthenticated malformed',
  ],
  [
    'iss twice in the payload',
    token({}, { payloadText: `{"iss":"${evil}","iss":"https://issuer.example"}` }),
    '401 unauthenticated malformed',
  ],
  ['a payload that is a list', token({}, { payloadText: '[]' }), '401 unauthenticated malformed'],
  ['padding', token({}, { change: (text) => `${text}==` }), '401 unauthenticated malformed'],
  ['stray bits', token({}, { change: strayBits }), '401 unauthenticated malformed'],
  [
    'a fourth segment',
    token({}, { change: (text) => `${text}.e30` }),
    '401 unauthenticated malformed',
  ],
  [
    'two segments',
    token({}, { change: (text) => text.replace(/\.[^.]*$/, '') }),
    '401 unauthenticated malformed',
  ],
  ['no JWT at all', bearer(b64('hello')), '401 unauthenticated malformed'],

  ['expired', token({ iat: now - 700, exp: now - 6 }), '401 unauthenticated expired'],
  ['no exp', token({ exp: undefined }), '401 unauthenticated malformed'],
  ['an exp of text', token({ exp: `${now + 60}` }), '401 unauthenticated malformed'],
  ['an exp with a fraction', token({ exp: now + 60.5 }), '401 unauthenticated malformed'],
  ['not yet valid', token({ nbf: now + 6 }), '401 unauthenticated not_yet_valid'],
  [
    'issued in the future',
    token({ iat: now + 6, exp: now + 60 }),
    '401 unauthenticated not_yet_valid',
  ],
  ['no iat', token({ iat: undefined }), '401 unauthenticated malformed'],
  ['a life that is too long', token({ exp: now + 3_601 }), '401 unauthenticated lives_too_long'],
  ['milliseconds', token({ exp: (now + 60) * 1_000 }), '401 unauthenticated lives_too_long'],
  ['another audience', token({ aud: 'another' }), '401 unauthenticated wrong_audience'],
  [
    'our audience among others',
    token({ aud: ['chancery', 'another'] }),
    '401 unauthenticated wrong_audience',
  ],
  ['our audience and more', token({ aud: 'chancery/' }), '401 unauthenticated wrong_audience'],
  ['no audience', token({ aud: undefined }), '401 unauthenticated malformed'],
  ['another issuer', token({ iss: evil }), '401 unauthenticated unknown_issuer'],
  [
    'our issuer and a slash',
    token({ iss: 'https://issuer.example/' }),
    '401 unauthenticated unknown_issuer',
  ],
  ['no issuer', token({ iss: undefined }), '401 unauthenticated malformed'],
  ['another subject', token({ repository_id: '12345' }), '401 unauthenticated no_caller_matches'],
  [
    'a subject of another type',
    token({ repository_id: 1234 }),
    '401 unauthenticated no_caller_matches',
  ],
  [
    'half of what has to match',
    token({ environment: undefined }),
    '401 unauthenticated no_caller_matches',
  ],
  [
    'three callers at once',
    token({ team: 'blue', region: 'north' }),
    '401 unauthenticated two_callers_match',
  ],
  ['two callers at once', token({ team: 'blue' }), '401 unauthenticated two_callers_match'],
]

/** The last letter of the signature says two bits that its bytes do not hold. */
function strayBits(text: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return text.slice(0, -1) + alphabet.charAt(alphabet.indexOf(text.slice(-1)) + 1)
}
