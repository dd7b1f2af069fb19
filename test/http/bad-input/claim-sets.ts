import { claims, now, type Row, type Sent, written } from './row.ts'

const bot = (sent: object): Sent => ({ ...claims(sent), key: 'bot' })
const face = (sent: object): Sent => ({ ...claims(sent), key: 'face-sdk' })
const impatient = (sent: object): Sent => ({ ...claims(sent), key: 'face-expiring' })
const token = (header: string | object, payload: string | object): Sent => ({
  ...written(header, payload),
  key: 'face-sdk',
})
const header = { alg: 'HS256', typ: 'JWT' }
const payload = { key_id: 'id-2', fingerprint: 'device-1' }
const malformed = '400 malformed_signing_input'

/** What the service sets, and what no rule lets in. */
export const badClaims: readonly Row[] = [
  ['iss', claims({ sub: '42', iss: 'https://acme.example' }), '400 claim_not_allowed iss'],
  ['iat', claims({ sub: '42', iat: now }), '400 claim_not_allowed iat'],
  ['exp', claims({ sub: '42', exp: now + 60 }), '400 claim_not_allowed exp'],
  ['jti', claims({ sub: '42', jti: 'mine' }), '400 claim_not_allowed jti'],
  ['an exp that is null', claims({ sub: '42', exp: null }), '400 claim_not_allowed exp'],
  ['nbf', claims({ sub: '42', nbf: now }), '403 claims_refused nbf.unlisted'],
  ['EXP', claims({ sub: '42', EXP: now }), '403 claims_refused EXP.unlisted'],
  ['constructor', claims({ sub: '42', constructor: 1 }), '403 claims_refused constructor.unlisted'],
  ['an empty name', claims({ sub: '42', '': 1 }), '403 claims_refused .unlisted'],
  ['nothing', claims({}), '403 claims_refused sub.required'],
  ['a sub that is null', claims({ sub: null }), '403 claims_refused sub.text'],
  ['a sub that is a number', claims({ sub: 42 }), '403 claims_refused sub.text'],
  ['a sub that is a list', claims({ sub: ['42'] }), '403 claims_refused sub.text'],
  ['a role that is none', claims({ sub: '42', role: 'Reader' }), '403 claims_refused role.oneOf'],
  ['GitHub: iss', bot({ iss: 'Iv23li' }), '400 claim_not_allowed iss'],
  ['GitHub: exp', bot({ exp: now + 60 }), '400 claim_not_allowed exp'],
  ['GitHub: an iat of 66 s ago', bot({ iat: now - 66 }), '403 claims_refused iat.skew'],
  ['GitHub: an iat in 66 s', bot({ iat: now + 66 }), '403 claims_refused iat.skew'],
  ['GitHub: an iat that is null', bot({ iat: null }), '403 claims_refused iat.skew'],
  ['GitHub: an iat of text', bot({ iat: `${now}` }), '403 claims_refused iat.skew'],
  ['GitHub: an iat in milliseconds', bot({ iat: now * 1_000 }), '403 claims_refused iat.skew'],
  ['GitHub: a sub', bot({ sub: '42' }), '403 claims_refused sub.unlisted'],
]

/** `face-sdk` has the versions 1 retired, 2 and 3 active, 4 revoked. */
export const badApiKeyTokens: readonly Row[] = [
  ['a key_id among the claims', face({ key_id: 'id-2' }), '400 claim_not_allowed key_id'],
  ['no fingerprint', face({}), '403 claims_refused fingerprint.required'],
  [
    'a fingerprint of 513 letters',
    face({ fingerprint: 'f'.repeat(513) }),
    '403 claims_refused fingerprint.text',
  ],
  [
    'a fingerprint that is a number',
    face({ fingerprint: 1 }),
    '403 claims_refused fingerprint.text',
  ],
  ['an exp', face({ fingerprint: 'f', exp: now + 60 }), '403 claims_refused exp.unlisted'],
  ['an iat', face({ fingerprint: 'f', iat: now }), '403 claims_refused iat.unlisted'],
  ['a grant that wants expiry', impatient({ fingerprint: 'f' }), '403 claims_refused noExpiry'],
  [
    'a signing input and a grant that wants expiry',
    { ...token(header, { ...payload, key_id: 'id-of-expiring' }), key: 'face-expiring' },
    '403 claims_refused noExpiry',
  ],
  ['a header without typ', token({ alg: 'HS256' }, payload), malformed],
  ['a header without alg', token({ typ: 'JWT' }, payload), malformed],
  ['a header with a kid', token({ ...header, kid: 'id-2' }, payload), malformed],
  ['a header with a third member', token({ ...header, cty: 'JWT' }, payload), malformed],
  ['another hash', token({ ...header, alg: 'HS512' }, payload), malformed],
  ['alg none', token({ ...header, alg: 'none' }, payload), malformed],
  ['typ twice', token('{"alg":"HS256","typ":"JWT","typ":"JWT"}', payload), malformed],
  ['no key_id', token(header, { fingerprint: 'f' }), '403 claims_refused key_id.const'],
  [
    'a key_id of nobody',
    token(header, { ...payload, key_id: 'x' }),
    '403 claims_refused key_id.const',
  ],
  [
    'a key_id that is a number',
    token(header, { ...payload, key_id: 2 }),
    '403 claims_refused key_id.const',
  ],
  [
    'a key_id that is null',
    token(header, { ...payload, key_id: null }),
    '403 claims_refused key_id.const',
  ],
  [
    'a key_id in another case',
    token(header, { ...payload, key_id: 'ID-2' }),
    '403 claims_refused key_id.const',
  ],
  [
    'the key_id of another key',
    token(header, { ...payload, key_id: 'id-of-expiring' }),
    '403 claims_refused key_id.const',
  ],
  [
    'the name of a version',
    token(header, { ...payload, key_id: 'face-sdk@2' }),
    '403 claims_refused key_id.const',
  ],
  [
    'a key_id twice',
    token(header, '{"key_id":"id-2","key_id":"id-3","fingerprint":"f"}'),
    malformed,
  ],
  [
    'a retired key_id',
    token(header, { ...payload, key_id: 'id-1' }),
    '409 version_not_active id-3',
  ],
  ['a revoked key_id', token(header, { ...payload, key_id: 'id-4' }), '403 version_revoked'],
  [
    'a signing input without fingerprint',
    token(header, { key_id: 'id-2' }),
    '403 claims_refused fingerprint.required',
  ],
  ['a third claim', token(header, { ...payload, sub: '42' }), '403 claims_refused sub.unlisted'],
  [
    'an exp in a signing input',
    token(header, { ...payload, exp: now + 60 }),
    '403 claims_refused exp.unlisted',
  ],
]
