/** Sources that never ran: each rule's violations, and what comes close without being one. */

import { unfinishedMarks } from './word-rules.ts'

/** Paths and texts of one small tree. */
export type Sample = Readonly<Record<string, string>>

export type Planted = {
  readonly rule: string
  /** Each breaks this rule and no other. */
  readonly bad: readonly Sample[]
  /** Each breaks no rule at all. */
  readonly clean: readonly Sample[]
}

/** Apart from their dots: who searches the tests for what is left out is to find none of these. */
const [only, skip] = ['only', 'skip'] as const

const linesOf = (count: number): string => 'export {}\n'.repeat(count)
const callsOf = (count: number): string => '  work()\n'.repeat(count)
const functionOf = (lines: number): string => `export function long() {\n${callsOf(lines - 2)}}\n`

const chapter = `describe.each([1])('%i', () => {\n${callsOf(80)}})\n`

export const plantedImports: readonly Planted[] = [
  {
    rule: 'imports follow the map',
    bad: [
      { 'src/http/routes.ts': "import { sign } from '../signing/sign.ts'" },
      { 'src/http/routes.ts': "import type { Signer } from '../signing/signer.ts'" },
      { 'src/http/routes.ts': "export { sign } from '../signing/sign.ts'" },
      { 'src/http/routes.ts': "export * from '../signing/sign.ts'" },
      { 'src/http/routes.ts': "export const lazy = () => import('../store/open.ts')" },
      { 'src/http/routes.ts': "export type Row = import('../store/schema.ts').Row" },
      { 'src/http/routes.ts': "export const lazy = () => require('../store/open.ts')" },
      { 'src/http/routes.ts': "import '../store/open.ts'" },
      { 'src/http/routes.ts': 'export const lazy = (path: string) => import(path)' },
      { 'src/service/sign.ts': "import { open } from '../../providers/index.ts'" },
      { 'src/cli/revoke.ts': "import type { KeyName } from '../keys/key.ts'" },
      { 'src/errors.ts': "import { bytes } from './lib/bytes.ts'" },
      { 'src/lib/bytes.ts': "import { fake } from '../../test/support/fake.ts'" },
      { 'src/lib/bytes.ts': "import { tool } from '../../scripts/tool.ts'" },
      { 'providers/aws-kms/signer.ts': "import { x } from '../local/signer.ts'" },
      { 'providers/index.ts': "import type { Signer } from '../src/signing/signer.ts'" },
      { 'src/registry/embedded.ts': "import { app } from './server/app.ts'" },
      { 'src/rotation/tick.ts': "import { app } from '../registry/server/app.ts'" },
      { 'src/registry/server/app.ts': "import { keys } from '../../store/versions.ts'" },
    ],
    clean: [
      { 'src/http/routes.ts': "import { signFor } from '../service/sign.ts'" },
      { 'src/http/routes.ts': "import { body } from './body.ts'" },
      { 'src/config/schema.ts': "import { names } from '../signing/algorithms.ts'" },
      { 'src/compose/serve.ts': "import { loadProvider } from '../../providers/index.ts'" },
      { 'src/cli/version.ts': "import about from '../../package.json' with { type: 'json' }" },
      { 'providers/index.ts': "export const load = () => import('./aws-kms/signer.ts')" },
      { 'providers/aws-kms/signer.ts': "import { x } from '../../src/signing/signer.ts'" },
      { 'src/audit/start.ts': "export const at = new URL('../http/a.ts', import.meta.url)" },
      {
        'src/audit/start.ts':
          "export const text = `import '../http/a.ts'` // import '../http/a.ts'",
      },
      { 'test/a.test.ts': "import { x } from '../src/store/open.ts'" },
      { 'src/registry/embedded.ts': "import type { Registry } from './port.ts'" },
      { 'src/registry/server/app.ts': "import { keys } from './store/keys.ts'" },
    ],
  },
  {
    rule: 'every file is on the map',
    bad: [
      { 'src/web/page.ts': 'export const page = 1' },
      { 'src/index.ts': 'export const index = 1' },
      { 'providers/list.ts': 'export const list = 1' },
    ],
    clean: [
      { 'src/registry/server/app.ts': 'export const app = 1' },
      { 'providers/new-vault/signer.ts': 'export const signer = 1' },
    ],
  },
  {
    rule: 'vendor packages have one room',
    bad: [
      { 'providers/aws-kms/signer.ts': "import { KMSClient } from '@aws-sdk/client-kms'" },
      { 'providers/local/client.ts': "import { x } from '@azure/keyvault-keys'" },
      { 'src/service/sign.ts': "import type { Kysely } from 'kysely'" },
      { 'src/audit/writer.ts': "import { DatabaseSync } from 'node:sqlite'" },
      { 'src/registry/port.ts': "import { Hono } from 'hono'" },
      { 'src/http/log.ts': "import { pino } from 'pino'" },
      { 'src/service/sign.ts': "import leftPad from 'left-pad'" },
      { 'src/service/sign.ts': "export const lazy = () => import('jose')" },
    ],
    clean: [
      { 'providers/aws-kms/client.ts': "import { KMSClient } from '@aws-sdk/client-kms'" },
      { 'src/registry/server/app.ts': "import { Hono } from 'hono'" },
      { 'src/http/tls.ts': "import { secureHeaders } from 'hono/secure-headers'" },
      { 'src/signing/der.ts': "import { p256 } from '@noble/curves/nist.js'" },
      { 'src/policy/grant.ts': "import { z } from 'zod'\nimport { hash } from 'node:crypto'" },
      { 'test/support/kms.ts': "import { mockClient } from 'aws-sdk-client-mock'" },
    ],
  },
  {
    rule: 'no cycles',
    bad: [
      {
        'src/lib/a.ts': "import './b.ts'",
        'src/lib/b.ts': "export * from './c.ts'",
        'src/lib/c.ts': "import type { A } from './a.ts'",
      },
      { 'src/lib/a.ts': "export const self = () => import('./a.ts')" },
    ],
    clean: [
      {
        'src/lib/a.ts': "import './b.ts'\nimport './c.ts'",
        'src/lib/b.ts': "import './c.ts'",
        'src/lib/c.ts': 'export {}',
      },
    ],
  },
  {
    rule: 'no banned imports',
    bad: [
      { 'src/http/auth.ts': "import { jwt } from 'hono/jwt'" },
      { 'test/auth.test.ts': "import { sign } from 'hono/utils/jwt/jwt'" },
      { 'src/cli/run.ts': "import { spawn } from 'node:child_process'" },
      { 'src/lib/run.ts': "export const run = () => import('child_process')" },
    ],
    clean: [
      { 'src/demo/start.ts': "import { spawn } from 'node:child_process'" },
      { 'test/crash/kill.ts': "import { fork } from 'node:child_process'" },
    ],
  },
]

export const plantedShapes: readonly Planted[] = [
  {
    rule: 'files fit in the head',
    bad: [{ 'src/lib/long.ts': linesOf(351) }],
    clean: [{ 'src/lib/long.ts': linesOf(350) }],
  },
  {
    rule: 'functions fit in the head',
    bad: [
      { 'src/lib/long.ts': functionOf(61) },
      { 'src/lib/long.ts': `export const long = () => {\n${callsOf(59)}}\n` },
      { 'src/lib/long.ts': `export class Long {\n  run() {\n${callsOf(59)}  }\n}\n` },
      { 'test/a.test.ts': `describe('a', () => {\n  test('b', () => {\n${callsOf(59)}})\n})\n` },
      { 'test/a.test.ts': `export function suite() {\n${chapter}${callsOf(59)}}\n` },
    ],
    clean: [
      { 'src/lib/long.ts': functionOf(60) },
      { 'test/a.test.ts': chapter },
      { 'test/a.test.ts': `export function suite() {\n${chapter}${chapter}}\n` },
    ],
  },
  {
    rule: 'no any, few casts',
    bad: [
      { 'src/lib/a.ts': 'export const a = (b: any) => b' },
      { 'src/lib/a.ts': 'export const a = new Map<string, any>()' },
      { 'src/lib/a.ts': 'export const a = b as any // it is proven elsewhere' },
      { 'src/lib/a.ts': 'export const a = b as unknown as Row // it is proven elsewhere' },
      { 'src/lib/a.ts': 'export const a = b as Row' },
      { 'src/lib/a.ts': 'export const a = <Row>b' },
      { 'src/lib/a.ts': '// eslint-disable-next-line no cast\nexport const a = b as Row' },
      { 'src/lib/a.ts': '// two lines above\n\nexport const a = b as Row' },
      { 'src/lib/a.ts': 'export const a = b.state!' },
      { 'test/a.test.ts': 'let a!: Row' },
      { 'test/a.test.ts': 'const a = b as any' },
    ],
    clean: [
      {
        'src/lib/a.ts': "export const a = ['any', 'b as any'] as const satisfies readonly string[]",
      },
      { 'src/lib/a.ts': 'export const a = b as Row // the schema above has checked it' },
      { 'src/lib/a.ts': '// The schema has checked it.\nexport const a = b as Row' },
      { 'src/lib/a.ts': "import { a as b } from './c.ts'" },
      { 'src/lib/a.ts': 'export const isRow = (a: unknown): a is Row => !a' },
      { 'test/a.test.ts': 'const a = b as unknown as Row' },
    ],
  },
  {
    rule: 'no suppressed types',
    bad: [
      { 'src/lib/a.ts': '// @ts-expect-error\nexport const a: string = 1' },
      { 'providers/local/a.ts': '/* @ts-ignore because */\nexport const a: string = 1' },
      { 'src/lib/a.ts': '// @ts-nocheck' },
    ],
    clean: [
      { 'src/lib/a.ts': "export const a = '// @ts-ignore'" },
      { 'test/a.test.ts': '// @ts-expect-error: a grant cannot be made by hand\nmake({})' },
    ],
  },
  {
    rule: 'named exports',
    bad: [
      { 'src/lib/a.ts': 'export default 1' },
      { 'src/lib/a.ts': 'const a = 1\nexport { a as default }' },
      { 'src/lib/a.config.ts': 'export default {}' },
      { 'test/support/a.ts': 'export default {}' },
    ],
    clean: [
      { 'src/lib/a.ts': 'export const a = 1' },
      { 'test/crash/vitest.config.ts': 'export default {}' },
    ],
  },
  {
    rule: 'names',
    bad: [
      { 'src/lib/utils.ts': 'export const a = 1' },
      { 'src/keys/key-manager.ts': 'export const a = 1' },
      { 'test/helpers/clock.ts': 'export const a = 1' },
      { 'src/lib/a.ts': 'export interface ISigner { readonly a: string }' },
    ],
    clean: [
      { 'src/keys/managed.ts': 'export interface IcrApp { readonly a: string }' },
      { 'src/keys/a.ts': 'export type Instant = number' },
    ],
  },
  {
    rule: 'no unfinished thoughts',
    bad: [
      ...unfinishedMarks.map((mark) => ({
        'src/lib/a.ts': `// ${mark}: more\nexport const a = 1`,
      })),
      ...unfinishedMarks.map((mark) => ({ 'src/lib/a.ts': `/** ${mark} */\nexport const a = 1` })),
      { 'test/a.test.ts': `test.${only}('a', () => {})` },
      { 'test/a.test.ts': `describe.${skip}('a', () => {})` },
      { 'test/a.test.ts': `test.${skip}.each([1])('%i', () => {})` },
      { 'test/a.test.ts': "test('a', { skip: true }, () => {})" },
      { 'test/a.test.ts': "test('a', (context) => context.skip())" },
    ],
    clean: [
      ...unfinishedMarks.map((mark) => ({
        'src/lib/a.ts': `export const a = '${mark}' // todos are tasks here`,
      })),
      { 'test/a.test.ts': "test.skipIf(why)('a', () => {})" },
      { 'test/a.test.ts': "test('a', (context) => context.skip('no softhsm here'))" },
    ],
  },
  {
    rule: 'files parse',
    bad: [{ 'src/lib/a.ts': 'export const = 1' }],
    clean: [{ 'src/lib/a.ts': 'export const a = 1' }],
  },
]
