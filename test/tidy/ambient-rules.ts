import { inside } from './map.ts'
import { chainOf, usesIn, type Use } from './names.ts'
import { is, nodesOf, stringOf, type SourceFile } from './parse.ts'
import { ruleOfFile, type Finding, type Rule } from './rule.ts'

type Ambient = {
  readonly rule: string
  readonly saw: (use: Use) => boolean
  /** Forms that no dotted name shows. */
  readonly also?: (file: SourceFile) => readonly number[]
  readonly home: readonly string[]
  readonly fix: string
}

const named =
  (...names: readonly string[]) =>
  ({ name }: Use): boolean =>
    names.includes(name)

/** What is ambient has one home each, and one in the client, a package of its own; everyone else gets it as an argument. */
const ambient: readonly Ambient[] = [
  {
    rule: 'one environment',
    saw: named('process.env'),
    // main.ts sets the thread pool size for the process that replaces it.
    home: ['src/config/', 'src/main.ts', 'src/demo/', 'test/'],
    fix: 'take it from Config',
  },
  {
    rule: 'one clock',
    saw: named('Date.now'),
    also: bareDates,
    home: ['src/lib/clock.ts', 'src/client/surroundings.ts'],
    fix: 'take `now` as an argument',
  },
  {
    rule: 'one clock',
    saw: ({ name }) => /^performance\.now$|^process\.hrtime\b/.test(name),
    // Measuring is what a bench is for; a date there would still be an input in disguise.
    home: ['src/lib/clock.ts', 'src/client/surroundings.ts', 'test/bench/'],
    fix: 'take `now` as an argument',
  },
  {
    rule: 'one source of waiting',
    saw: named('setTimeout', 'setInterval', 'AbortSignal.timeout'),
    home: ['src/lib/', 'src/client/surroundings.ts', 'test/support/', 'test/bench/', 'test/crash/'],
    fix: 'use deadline or retry',
  },
  {
    rule: 'one source of chance',
    saw: named('Math.random'),
    home: [],
    fix: 'node:crypto, passed in',
  },
  {
    rule: 'one log',
    saw: ({ name }) => /^console\.\w+$|^process\.stdout$/.test(name),
    home: ['src/lib/log.ts', 'src/cli/', 'src/demo/', 'test/bench/', 'test/tidy.test.ts'],
    fix: 'use Logger',
  },
  {
    rule: 'one JSON reader',
    saw: named('JSON.parse'),
    also: requestBodies,
    home: ['src/lib/json.ts', 'src/client/json.ts', 'test/'],
    fix: 'use parseJson',
  },
  {
    rule: 'strict decoding',
    saw: named('atob', 'Uint8Array.fromBase64'),
    also: looseBase64,
    home: ['src/lib/bytes.ts', 'test/'],
    fix: 'use decodeBase64',
  },
  {
    rule: 'no eval',
    saw: ({ name, how }) => name === 'eval' || (name === 'Function' && how === 'call'),
    home: [],
    fix: 'write it out',
  },
]

function bareDates(file: SourceFile): readonly number[] {
  return nodesOf(file, 'NewExpression', 'CallExpression')
    .filter(({ node }) => is(node.callee, 'Identifier') && node.callee.name === 'Date')
    .filter(({ node }) => is(node, 'CallExpression') || node.arguments.length === 0)
    .map(({ node }) => node.start)
}

/** A schema's `z.json()` and a response are something else. */
function requestBodies(file: SourceFile): readonly number[] {
  return nodesOf(file, 'CallExpression')
    .filter(({ node }) => {
      const chain = chainOf(node.callee)
      const onRequest = chain.some((name) => /^req(?:uest)?$|Request$/.test(name))
      return node.arguments.length === 0 && chain.at(-1) === 'json' && onRequest
    })
    .map(({ node }) => node.start)
}

/** An encoding that is not written out could be base64; with three arguments the second is an offset. */
function looseBase64(file: SourceFile): readonly number[] {
  return nodesOf(file, 'CallExpression')
    .filter(({ node }) => chainOf(node.callee).join('.').endsWith('Buffer.from'))
    .filter(({ node: { arguments: given } }) => given.length === 2)
    .filter(
      ({
        node: {
          arguments: [, encoding],
        },
      }) => {
        const written = stringOf(encoding)
        return written === undefined || written.startsWith('base64')
      },
    )
    .map(({ node }) => node.start)
}

function findAmbient(file: SourceFile, ambients: readonly Ambient[]): readonly Finding[] {
  return ambients
    .filter(({ home }) => !inside(file.path, home))
    .flatMap(({ saw, also, fix }) => {
      const used = usesIn(file).filter(saw)
      return [...used.map(({ at }) => at), ...(also?.(file) ?? [])].map((at) => ({ at, fix }))
    })
}

export const ambientRules: readonly Rule[] = [...new Set(ambient.map(({ rule }) => rule))].map(
  (name) =>
    ruleOfFile(name, (file) =>
      findAmbient(
        file,
        ambient.filter(({ rule }) => rule === name),
      ),
    ),
)
