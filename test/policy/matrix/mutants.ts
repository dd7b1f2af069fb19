import type { Edit } from '../../support/edit.ts'

/** One mistake each in what decides who may sign what: a check dropped, a comparison turned. */

type Mutants = Readonly<Record<string, readonly Edit[]>>

/** [what, from, to], all in one file. */
function inFile(file: string, rows: readonly (readonly [string, string, string])[]): Mutants {
  return Object.fromEntries(rows.map(([what, from, to]) => [what, [{ file, from, to }]]))
}

const claimRules = inFile('src/policy/claim-rules.ts', [
  ['a required claim may be missing', 'if (optional) continue', 'continue'],
  ['an optional claim is required', 'if (optional) continue', ''],
  ['an inherited member counts as sent', '!Object.hasOwn(claims, claim)', '!(claim in claims)'],
  ['unlisted claims are let through', 'Object.keys(claims).find(', '[].find('],
  ['a claim is listed when any other is', 'rules.every((', 'rules.some(('],
  ['const compares loosely', 'value === check.value', 'value == check.value'],
  ['oneOf compares loosely', 'value === allowed', 'value == allowed'],
  ['oneOf means all of them', 'check.values.some(', 'check.values.every('],
  ['a prefix may stand anywhere', 'value.startsWith(check', 'value.includes(check'],
  ['a prefix may be cut off', 'value.startsWith(check.prefix)', 'check.prefix.startsWith(value)'],
  ['text is one shorter', 'value.length <= check', 'value.length < check'],
  ['text may be anything', `'string' && value.length <=`, `'string' || String(value).length <=`],
  ['fromCaller accepts any value', '&& value === caller[check.attribute]', ''],
  [
    'fromCaller accepts any attribute',
    'Object.hasOwn(caller, check.attribute) && value === caller[check.attribute]',
    'Object.values(caller).includes(value)',
  ],
  ['rules run backwards', 'check } of rules)', 'check } of rules.toReversed())'],
])

const claimSet = inFile('src/policy/claim-set.ts', [
  ['claims may be a level deeper', 'depth > depthMax', 'depth > depthMax + 1'],
  ['claims have one member less', 'members.length > membersMax', 'members.length >= membersMax'],
  ['names are one shorter', 'name.length > nameCharactersMax', 'name.length >= nameCharactersMax'],
  ['numbers may be any', 'Number.isSafeInteger(value)', 'Number.isFinite(value)'],
  ['strings are measured in characters', 'Buffer.byteLength(text)', 'text.length'],
  ['what is inside is not looked at', 'if (found) return found', ''],
])

const decide = inFile('src/policy/decide.ts', [
  [
    'a key without a grant is not hidden',
    `return { verdict: 'hide' }`,
    `return { verdict: 'refuse', code: 'operation_not_granted' }`,
  ],
  ['the purpose is not looked at', 'if (request.purpose &&', 'if (false &&'],
  ['any operation is granted', 'operations.includes(request.operation)', 'operations.length > 0'],
  [
    'the first grant on a key stands for all',
    'onKey.find(({ operations }) => operations.includes(request.operation))',
    'first',
  ],
  ['grants are kept under other names', '=> `${caller} ${key.name}`', '=> `${key.name}`'],
  [
    'grants are looked up by the key alone',
    'grants.on(request.caller, request.key)',
    `['stranger', 'both', 'reader'].flatMap((who) => grants.on(who, request.key))`,
  ],
  [
    'grants are looked up by the caller alone',
    'grants.on(request.caller, request.key)',
    `[...grants.on(request.caller, request.key), ...grants.on(request.caller, 'aside')]`,
  ],
])

const jwt = inFile('src/policy/jwt.ts', [
  ['iat may always be sent', 'profile.callerMaySendIat ?', 'true ?'],
  ['iat may never be sent', 'profile.callerMaySendIat ?', 'false ?'],
  ['what the service sets may be sent', 'if (claim !== undefined) return', 'if (false) return'],
  [
    'claims to compose meet no rules',
    'const { iat: sentIat, ...others } = claims const rule = failedRule(context.grant.claims, others, context.caller)',
    'const { iat: sentIat, ...others } = claims; const rule = undefined',
  ],
  [
    'claims of a signing input meet no rules',
    'const others = withoutReserved(claims, profile) const rule = failedRule(context.grant.claims, others, context.caller)',
    'const rule = undefined',
  ],
  ['an iat of null is none', 'sentIat === undefined ? ownIat : sentIat', 'sentIat ?? ownIat'],
  [
    'an iat that was sent may be any',
    `if (!isRecent(iat, context.nowMs)) return refused('iat.skew') const exp`,
    'const exp',
  ],
  [
    'the iat of a signing input may be any',
    `if (!isRecent(iat, context.nowMs)) return refused('iat.skew') if (exp`,
    'if (exp',
  ],
  ['fixed claims may be any', 'claims[name] !== value', '!claims[name]'],
  [
    'a fixed claim may be missing',
    '(const [name, value] of Object.entries(profile.fixed))',
    '(const [name, value] of Object.entries(profile.fixed).filter(([name]) => name in claims))',
  ],
  ['jti may be a number', `typeof claims['jti'] !== 'string'`, `claims['jti'] === undefined`],
  ['iat may be missing', `if (iat === undefined) return refused('iat.required')`, ''],
  ['exp may be missing', `if (exp === undefined) return refused('exp.required')`, ''],
  ['a life is one shorter', 'exp - iat <= lifetime', 'exp - iat < lifetime'],
  ['a life may be longer', 'exp - iat <= lifetimeSeconds(context)', 'exp - iat <= 900'],
  ['a life may be nothing', '&& exp > iat', '&& exp >= iat'],
  ['exp may be before iat', '&& exp > iat', ''],
  ['exp may be text', `typeof exp === 'number' && exp`, 'exp'],
  [
    'claims without expiry need no consent',
    `if (!grant.noExpiry) return refused('noExpiry') const rule`,
    'const rule',
  ],
  [
    'a token without expiry is looked into before it is consented to',
    `if (!grant.noExpiry) return refused('noExpiry') if`,
    'if',
  ],
  ['key_id may be anything', '&& !isVersion(claims[versionClaim])', '&& false'],
  ['what is reserved is not taken away', '!reserved.includes(name)', 'true'],
  ['the longer life counts', 'return Math.min(', 'return Math.max('],
  [
    'only the grant’s life counts',
    'Math.min(profile.lifetimeSecondsMax, grant.lifetimeSecondsMax ?? Infinity)',
    'grant.lifetimeSecondsMax ?? profile.lifetimeSecondsMax',
  ],
  ['the grant’s life does not count', 'grant.lifetimeSecondsMax ?? Infinity', 'Infinity'],
  ['the skew is one less', '<= iatSkewSecondsMax', '< iatSkewSecondsMax'],
  ['iat may be long ago', 'Math.abs(iat - seconds(nowMs))', '(iat - seconds(nowMs))'],
  ['the clock is rounded up', 'Math.floor(epochMs', 'Math.ceil(epochMs'],
])

const profiles = inFile('src/policy/profiles.ts', [
  ['the skew is 60 s', 'iatSkewSecondsMax = 65', 'iatSkewSecondsMax = 60'],
  [
    'GitHub sees our clock',
    `'github-app': { ...app, kidInHeader: false, iatBackdatedSeconds: 60`,
    `'github-app': { ...app, kidInHeader: false, iatBackdatedSeconds: 0`,
  ],
  [
    'ICR gets a kid',
    `'icr-app': { ...app, kidInHeader: false`,
    `'icr-app': { ...app, kidInHeader: true`,
  ],
  [
    'Contentful gets no kid',
    `'contentful-app': { ...app, kidInHeader: true`,
    `'contentful-app': { ...app, kidInHeader: false`,
  ],
  ['apps live a second longer', 'lifetimeSecondsMax: 600', 'lifetimeSecondsMax: 601'],
  ['assertions live as long as apps', 'lifetimeSecondsMax: 300', 'lifetimeSecondsMax: 600'],
  [
    'fingerprints are one longer',
    'fingerprintCharactersMax = 512',
    'fingerprintCharactersMax = 513',
  ],
  [
    'a fingerprint is optional',
    `optional: false, check: { kind: 'text'`,
    `optional: true, check: { kind: 'text'`,
  ],
  ['key_id may be sent', '...(versionClaim === undefined ? [] : [versionClaim])', ''],
  ['jti may be sent', `...(jti ? ['jti'] : [])`, ''],
  ['a header may lack typ', 'headerIsExact: true', 'headerIsExact: false'],
  ['an assertion has any sub', 'sub: settings.clientId, aud', 'aud'],
])

const signingInput = inFile('src/policy/signing-input.ts', [
  ['a header may say more', '!known.includes(name)', 'false'],
  ['a header’s alg may be any', `header['alg'] !== expected.alg`, 'false'],
  [
    'a header’s alg is compared without case',
    `header['alg'] !== expected.alg`,
    `String(header['alg']).toUpperCase() !== expected.alg.toUpperCase()`,
  ],
  ['typ may be any', `header['typ'] !== 'JWT'`, 'false'],
  [
    'kid may be no text',
    `if (kid === undefined || typeof kid === 'string') return kid`,
    'return kid',
  ],
  ['kid is known everywhere', 'expected.kidInHeader ?', 'true ?'],
  ['a payload is not bounded', 'if (complaint) throw', 'if (false) throw'],
])

const service = {
  ...inFile('src/service/prepare.ts', [
    [
      'a kid is looked at last',
      'if (context.activeKid !== undefined) assertKid(kid, context.activeKid)',
      '',
    ],
    ['a kid may be any', 'if (kid === undefined || kid === activeKid) return', 'return'],
    [
      'a retired key_id is looked at last',
      'version === undefined || mayStillSign(version)',
      'true',
    ],
    [
      'a revoked key_id is a retired one',
      `state === 'active' || state === 'revoked'`,
      `state === 'active'`,
    ],
    ['key_id does not choose', 'kid: named?.kid', 'kid: undefined'],
    ['claims name no version', 'versionClaim === undefined ? payload', 'true ? payload'],
    ['every header has a kid', 'const header = kidInHeader ?', 'const header = true ?'],
    [
      'messages are one byte shorter',
      'message.length > messageBytesMax',
      'message.length >= messageBytesMax',
    ],
    ['messages may be of any size', 'if (message.length > messageBytesMax)', 'if (false)'],
    ['messages may be JWTs', 'if (looksLikeSigningInput(message))', 'if (false)'],
    ['digests may be of any length', 'if (digest.length === bytes) return', 'return'],
    [
      'digests may be longer',
      'if (digest.length === bytes) return',
      'if (digest.length >= bytes) return',
    ],
  ]),
  ...inFile('src/service/version-choice.ts', [
    ['the last version of an id is chosen', 'named.find(isActive) ?? named.at(-1)', 'named.at(-1)'],
    ['the first version of an id is chosen', 'named.find(isActive) ?? named.at(-1)', 'named[0]'],
    [
      'of those that sign none but the first is',
      'named.find(isActive) ?? named.at(-1)',
      'named.find(isActive) ?? named[0]',
    ],
    ['the oldest that signs is chosen', 'versions.findLast(isActive)', 'versions.find(isActive)'],
    [
      'ids are compared without case',
      'version.kid === kid',
      'version.kid.toLowerCase() === kid.toLowerCase()',
    ],
    ['revoked is not told from retired', `if (version.state === 'revoked')`, 'if (false)'],
    [
      'what is published signs',
      `return state === 'active'`,
      `return state === 'active' || state === 'published'`,
    ],
  ]),
  ...inFile('src/service/sign.ts', [
    ['limits are counted and not kept', 'if (overLimit) throw overLimit', ''],
    [
      'limits are kept before the rules are',
      'const overLimit = deps.limits.take(grant)',
      'const overLimit = deps.limits.take(grant); if (overLimit) throw overLimit;',
    ],
  ]),
  ...inFile('src/service/limits.ts', [
    ['limits are not counted', 'if (limitPerSecond === undefined) return', 'return'],
  ]),
  ...inFile('src/service/sign-form.ts', [
    [
      'signing inputs need the grant for claims',
      `operation: 'sign-input'`,
      `operation: 'sign-claims'`,
    ],
    [
      'digests need the grant for messages',
      `operation: 'sign-digest'`,
      `operation: 'sign-message'`,
    ],
    [
      'digests are for every key',
      `'sign-digest', purpose: 'bytes'`,
      `'sign-digest', purpose: undefined`,
    ],
  ]),
  ...inFile('src/service/authorize.ts', [
    [
      'a refusal goes on',
      "case 'refuse': throw new ServiceError(decision.code, refusals[decision.code])",
      `case 'refuse': return grants.on(caller.name, key)[0]`,
    ],
  ]),
}

export const mutants: Mutants = {
  ...claimRules,
  ...claimSet,
  ...decide,
  ...jwt,
  ...profiles,
  ...signingInput,
  ...service,
}
