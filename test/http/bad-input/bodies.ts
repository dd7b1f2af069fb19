import { claims, message, type Row, type Sent } from './row.ts'

const raw = (text: string | Uint8Array<ArrayBuffer>): Sent => ({ raw: text })
const members = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`m${i}`, i]))
const nested = (open: string, close: string, depth: number) =>
  `{"claims":{"a":${open.repeat(depth)}1${close.repeat(depth)}}}`
const typed = (type: string): Sent => ({ type, body: { claims: { sub: '42' } } })

/** What is wrong whatever the key is. */
export const badBodies: readonly Row[] = [
  ['nothing', raw(''), '400 malformed_request'],
  ['no JSON', raw('claims'), '400 malformed_request'],
  ['JSON that breaks off', raw('{"claims":{'), '400 malformed_request'],
  ['a second value', raw('{"claims":{"sub":"42"}}{}'), '400 malformed_request'],
  ['a comment', raw('{"claims":{"sub":"42"}}//'), '400 malformed_request'],
  ['a trailing comma', raw('{"claims":{"sub":"42",}}'), '400 malformed_request'],
  ['a byte order mark', raw('\uFEFF{"claims":{"sub":"42"}}'), '400 malformed_request'],
  ['UTF-16', raw(new Uint8Array(Buffer.from('{"claims":{}}', 'utf16le'))), '400 malformed_request'],
  [
    'no UTF-8',
    raw(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d)),
    '400 malformed_request',
  ],
  ['null', raw('null'), '400 malformed_request'],
  ['a list', raw('[{"claims":{"sub":"42"}}]'), '400 malformed_request'],
  ['no form', raw('{}'), '400 malformed_request'],
  ['two forms', raw('{"claims":{"sub":"42"},"signingInput":"a.b"}'), '400 malformed_request'],
  ['a digest, which no vault here takes', raw('{"digest":"AAAA"}'), '400 malformed_request'],
  ['an unknown member', raw('{"claims":{"sub":"42"},"alg":"none"}'), '400 malformed_request'],
  ['an encoding beside claims', raw('{"claims":{},"encoding":"hex"}'), '400 malformed_request'],
  ['an unknown encoding', raw('{"message":"","encoding":"HEX"}'), '400 malformed_request encoding'],
  ['claims twice', raw('{"claims":{"sub":"42"},"claims":{"sub":"1"}}'), '400 malformed_request'],
  ['a claim twice', raw('{"claims":{"sub":"42","sub":"1"}}'), '400 malformed_request'],
  ['a member twice deep inside', raw('{"claims":{"a":[{"b":1,"b":2}]}}'), '400 malformed_request'],
  ['an escape in a name', raw(String.raw`{"claims":{"s\u0075b":"42"}}`), '400 malformed_request'],
  [
    'an escaped backslash in a name',
    raw(String.raw`{"claims":{"is\\":1}}`),
    '400 malformed_request',
  ],
  [
    'the same name, once escaped',
    raw(String.raw`{"claims":{"sub":"1","\u0073ub":"2"}}`),
    '400 malformed_request',
  ],
  ['__proto__', raw('{"claims":{"__proto__":{"sub":"42"}}}'), '400 malformed_request'],
  ['__proto__ beside claims', raw('{"__proto__":{"claims":{}}}'), '400 malformed_request'],
  [
    'a lone surrogate',
    raw(String.raw`{"claims":{"sub":"\ud800"}}`),
    '400 malformed_request claims.sub',
  ],
  [
    'half a surrogate pair after text',
    raw(String.raw`{"claims":{"sub":"a\udc00"}}`),
    '400 malformed_request claims.sub',
  ],
  ['nine levels', raw(nested('{"a":', '}', 8)), '400 malformed_request claims.a.a.a.a.a.a.a.a'],
  [
    'nine levels of lists',
    raw(nested('[', ']', 8)),
    '400 malformed_request claims.a.0.0.0.0.0.0.0',
  ],
  ['1,000 levels', raw(nested('[', ']', 1_000)), '400 malformed_request claims.a.0.0.0.0.0.0.0'],
  ['30,000 levels', raw(nested('[', ']', 30_000)), '400 malformed_request'],
  ['65 claims', claims(members(65)), '400 malformed_request claims.'],
  ['65 members inside', claims({ a: members(65) }), '400 malformed_request claims.a'],
  ['a name of 65 letters', claims({ ['n'.repeat(65)]: 1 }), '400 malformed_request claims.'],
  [
    'a string of 2,049 bytes',
    claims({ sub: 'a'.repeat(2_049) }),
    '400 malformed_request claims.sub',
  ],
  [
    'a string of 1,025 letters of two bytes',
    claims({ sub: '\u00e9'.repeat(1_025) }),
    '400 malformed_request claims.sub',
  ],
  ['a fraction', claims({ n: 1.5 }), '400 malformed_request claims.n'],
  ['a negative zero', raw('{"claims":{"n":-0}}'), '400 malformed_request claims.n'],
  ['beyond 2^53', raw('{"claims":{"n":9007199254740993}}'), '400 malformed_request claims.n'],
  ['infinity', raw('{"claims":{"n":1e999}}'), '400 malformed_request claims.n'],
  ['claims that are null', claims(null), '400 malformed_request claims'],
  ['claims that are a list', claims([]), '400 malformed_request claims'],
  ['claims that are text', claims('{"sub":"42"}'), '400 malformed_request claims'],
  ['65,537 bytes', raw(' '.repeat(65_537)), '413 request_too_large'],
  ['65,536 quotes', raw('"'.repeat(65_536)), '400 malformed_request'],
  ['65,536 braces', raw('{'.repeat(65_536)), '400 malformed_request'],
  ['no type', typed(''), '415 unsupported_media_type'],
  ['text', typed('text/plain'), '415 unsupported_media_type'],
  ['a form', typed('application/x-www-form-urlencoded'), '415 unsupported_media_type'],
  ['a JSON of another kind', typed('application/jwt+json'), '415 unsupported_media_type'],
  ['another alphabet', typed('application/json; charset=utf-16'), '415 unsupported_media_type'],

  [
    'padding of a wrong length',
    { key: 'documents', body: { message: 'AAAA=' } },
    '400 malformed_request message',
  ],
  [
    'half a padding',
    { key: 'documents', body: { message: 'AA=' } },
    '400 malformed_request message',
  ],
  ['stray bits', { key: 'documents', body: { message: 'AB' } }, '400 malformed_request message'],
  [
    'two alphabets',
    { key: 'documents', body: { message: '-+AA' } },
    '400 malformed_request message',
  ],
  [
    'a space in base64',
    { key: 'documents', body: { message: 'AA AA' } },
    '400 malformed_request message',
  ],
  [
    'a line end in base64',
    { key: 'documents', body: { message: 'AAAA\n' } },
    '400 malformed_request message',
  ],
  [
    'a message that is a number',
    { key: 'documents', body: { message: 1 } },
    '400 malformed_request message',
  ],
  ['a message of 8,193 bytes', message('a'.repeat(8_193)), '413 message_too_large'],
  ['a message that is a JWT', message('eyJhbGciOiJub25lIn0.e30'), '400 looks_like_jwt'],
  [
    'a message that is unencoded JWS',
    message('eyJhbGciOiJFUzI1NiIsImI2NCI6ZmFsc2V9.$.02'),
    '400 looks_like_jwt',
  ],
  ['a message with a padded header', message('eyJhbGciOiJub25lIn0=.e30'), '400 looks_like_jwt'],
  ['a message on a jwt key', { body: { message: '' } }, '400 wrong_purpose'],
  ['claims on a bytes key', { ...claims({}), key: 'documents' }, '400 wrong_purpose'],
  [
    'a signing input on a bytes key',
    { body: { signingInput: '' }, key: 'documents' },
    '400 wrong_purpose',
  ],
  ['a key that is another’s', { ...claims({}), key: 'hidden' }, '404 key_not_found'],
  ['a key that nobody has', { ...claims({}), key: 'nobody-has-this' }, '404 key_not_found'],
  ['a key that may only be read', { ...claims({}), key: 'readable' }, '403 operation_not_granted'],
]
