import { z } from 'zod'
import { decodeHex } from '../../src/lib/bytes.ts'

/** One test of one file, ready to be put to our code. */
export type Case = {
  readonly tcId: number
  readonly result: 'valid' | 'invalid' | 'acceptable'
  readonly flags: readonly string[]
  readonly comment: string
  /** Why none of our algorithms could answer it, where that is so. */
  readonly notOurs?: string | undefined
  /** @throws {ServiceError} which is a refusal, too. */
  readonly accepts: () => boolean | Promise<boolean>
}

/** https://github.com/C2SP/wycheproof/tree/main/schemas: what each test of each file has. */
const test = z.object({
  tcId: z.int(),
  result: z.enum(['valid', 'invalid', 'acceptable']),
  flags: z.array(z.string()),
  comment: z.string(),
})

export const hex = z.string().transform(decodeHex)
export const signatureTest = test.extend({ msg: hex, sig: hex })
export const macTest = test.extend({ key: hex, msg: hex, tag: hex })
export const jwsTest = test.extend({ jws: z.string() })

/** @throws {ZodError} for another form, or when the file has another number of tests than it says. */
export function groupsOf<Group extends { readonly tests: readonly unknown[] }>(
  text: string,
  group: z.ZodType<Group>,
): readonly Group[] {
  const file = z
    .object({ numberOfTests: z.int().positive(), testGroups: z.array(group) })
    .refine(({ numberOfTests, testGroups }) => {
      return testGroups.reduce((sum, { tests }) => sum + tests.length, 0) === numberOfTests
    }, 'has another number of tests than it says')
  return file.parse(JSON.parse(text)).testGroups
}
