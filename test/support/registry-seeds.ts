import type { Edit } from './edit.ts'
import { die, diesAfter, diesAt } from './dying.ts'

const activate = 'src/rotation/activate.ts'
const perform = 'src/rotation/perform.ts'
const record = 'src/rotation/record.ts'
const appKeys = 'src/registry/app-keys.ts'
const answer = 'src/registry/app-key-answer.ts'

const sent = 'const response = await fetch(url, {'
const sending = `const sent = fetch(url, { ...init, redirect: 'manual', signal: limit.signal });`

/** Points at which `rotate` may die around a publication, in the order in which it comes to them. */
export const publishDies = {
  'before the registry is looked at': diesAt('src/rotation/tick.ts', 'const seen = await lookAt('),
  'after the registry was looked at': diesAt('src/rotation/tick.ts', 'const second = nextStep('),
  'in the transaction of the publication’s intent': [
    {
      file: record,
      from: 'return openEntry(transaction, { id: deps.newId(at), step, key, n, at })',
      to: `await openEntry(transaction, { id: deps.newId(at), step, key, n, at }); ${die} return ''`,
    },
  ],
  'after the publication’s intent': diesAt(
    perform,
    'const { verdict } = await attempt(deps, id, () => registry.publish(',
  ),
  'before the key is sent': diesAt(appKeys, 'const answer = await api.create('),
  // Its bytes leave, arrive and are committed meanwhile: the kill comes anywhere between.
  'while the key is on its way': [
    {
      file: answer,
      from: sent,
      to: `if (init.method === 'POST') { ${sending} sent.catch(() => {}); await new Promise((go) => setTimeout(go, Number(process.hrtime.bigint() % 12n))); ${die} } ${sent}`,
    },
  ],
  'before the reply is read': [
    {
      file: answer,
      from: sent,
      to: `if (init.method === 'POST') { ${sending} await sent; ${die} } ${sent}`,
    },
  ],
  'after the reply': diesAt(appKeys, `if (answer.verdict === 'refused'`),
  'after the read-back': diesAfter(appKeys, 'await readBack(registration, signal)'),
  'in the transaction of the publication': diesAfter(
    perform,
    `await changeState(transaction.connection, version, 'published', at)`,
  ),
  'after the publication': diesAt(
    perform,
    `return [{ version: nameOf(version), step: 'published' }]`,
  ),
  'after the switch': diesAt(activate, `return [ { version: nameOf(version), step: 'activated' }`),
} satisfies Record<string, readonly Edit[]>

const looksFirst = `if (await hasThis(registration, signal)) return { verdict: 'done' } const`
const asksAgain = `if (answer.verdict === 'refused' && !(await hasThis(registration, signal)))`

/** Mistakes of `rotate` around a publication. */
export const publishMistakes = {
  'it signs before it is published': [
    {
      file: 'src/rotation/next-step.ts',
      from: `return state === 'published' || registry.kind === 'none'`,
      to: 'return true',
    },
  ],
  'it publishes without looking, and believes the refusal': [
    { file: appKeys, from: looksFirst, to: 'const' },
    { file: appKeys, from: asksAgain, to: `if (answer.verdict === 'refused')` },
  ],
  'it publishes without looking': [
    { file: appKeys, from: looksFirst, to: 'const' },
    { file: appKeys, from: asksAgain, to: `if (answer.verdict === 'refused')` },
  ],
  'it does not read back': [
    { file: appKeys, from: 'await readBack(registration, signal)', to: '' },
  ],
  'it records the publication before it is made': [
    {
      file: perform,
      from: `const id = await intend(deps, lease, 'publish', version)`,
      to: `const id = await intend(deps, lease, 'publish', version); await deps.store.writeTransaction((transaction) => changeState(transaction.connection, version, 'published', 1));`,
    },
    {
      file: perform,
      from: `await changeState(transaction.connection, version, 'published', at)`,
      to: '',
    },
  ],
  'it leaves the publication’s intent open': [
    {
      file: perform,
      from: `await markAgain(transaction, version, at) } await closeEntry(transaction, id, version.kid)`,
      to: 'await markAgain(transaction, version, at) }',
    },
  ],
} satisfies Record<string, readonly Edit[]>

const register = 'src/registry/server/register.ts'
const routes = 'src/registry/server/key-routes.ts'
const migrations = 'src/registry/server/store/migrations.ts'

/** Registries that are worse than ours: what `rotate` has to live with. */
export const otherRegistries = {
  'counts a key pair each time that it is sent': [
    { file: migrations, from: 'kid text primary key, app text', to: 'kid text, app text' },
    { file: migrations, from: 'spki blob not null unique', to: 'spki blob not null' },
    {
      file: register,
      from: 'isRegistered: await isRegistered(transaction, key.spki)',
      to: 'isRegistered: (await isRegistered(transaction, key.spki)) && false',
    },
  ],
  'lists the first key alone': [
    {
      file: 'src/registry/server/jwks-route.ts',
      from: 'keys.map(cleanJwk)',
      to: 'keys.slice(0, 1).map(cleanJwk)',
    },
  ],
  'accepts and forgets': [
    {
      file: register,
      from: 'if (!(await insertKey(transaction, key))) return',
      to: 'if (insertKey === undefined) return',
    },
  ],
} satisfies Record<string, readonly Edit[]>

/** One time of thirty or so: which one, nobody knows. */
const dieSometimes = `if (process.hrtime.bigint() % 30n === 0n) ${die}`

/** Points at which `registry serve` may die. */
export const registryDies = {
  'halfway through its migration': [
    {
      file: migrations,
      from: 'for (const statement of firstStatements) await',
      to: `let left = 6; for (const statement of firstStatements) if (left-- === 0) ${die} else await`,
    },
  ],
  'in the transaction of a create': [
    { file: register, from: `return 'admitted'`, to: `${dieSometimes} return 'admitted'` },
  ],
  'before a create is answered': [
    {
      file: routes,
      from: 'return entityReply(201,',
      to: `${dieSometimes} return entityReply(201,`,
    },
  ],
  'in the transaction of a delete': [
    {
      file: register,
      from: 'if (!wasThere) return false',
      to: `${dieSometimes} if (!wasThere) return false`,
    },
  ],
  'before a delete is answered': [
    { file: routes, from: 'return wasThere ?', to: `${dieSometimes} return wasThere ?` },
  ],
} satisfies Record<string, readonly Edit[]>

/** Its first create is the end of it. */
export const registryDiesAtCreate = {
  'before the create is committed': diesAt(register, `return 'admitted'`),
  'after the create is committed': diesAt(routes, 'return entityReply(201,'),
} satisfies Record<string, readonly Edit[]>

/** Mistakes of `registry serve` that a kill, or the load before it, brings to light. */
export const registryMistakes = {
  'a create is answered before it is committed': [
    {
      file: routes,
      from: 'const admission = await register(store, { bearer, key, maxKeys })',
      to: `void register(store, { bearer, key, maxKeys }); const admission = 'admitted'; void [admission]`,
    },
    {
      file: routes,
      from: `if (admission !== 'admitted') return { refused: { code: admission } }`,
      to: '',
    },
  ],
  'slots are counted before the transaction': [
    {
      file: register,
      from: 'keys: await countKeys(transaction, key.app)',
      to: 'keys: Number(countKeys === undefined)',
    },
  ],
  'a delete leaves no record': [
    {
      file: register,
      from: `await insertChange(transaction, { ...changeBy(bearer, key), at: now, action: 'delete key' })`,
      to: '',
    },
  ],
  'a delete is answered, and not done': [
    {
      file: register,
      from: 'const wasThere = await deleteKey(transaction, key.app, key.kid)',
      to: 'const wasThere = deleteKey !== undefined',
    },
  ],
} satisfies Record<string, readonly Edit[]>

/** All of them, by name. */
export const registrySeeds: Readonly<Record<string, readonly Edit[]>> = {
  ...publishDies,
  ...publishMistakes,
  ...otherRegistries,
  ...registryDies,
  ...registryDiesAtCreate,
  ...registryMistakes,
}
