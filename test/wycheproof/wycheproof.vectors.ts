import { readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { vaultDirectory } from '../support/vault-directory.ts'
import { compare, line, type Tally, total } from './compare.ts'
import { files } from './files.ts'
import { namesIn, unaccounted, vectorFolder } from './folder.ts'
import { ourSubject } from './subject.ts'

const folder = vectorFolder(process.env['CHANCERY_VECTORS'])
const found = namesIn(folder)
const vault = await vaultDirectory()
const subject = ourSubject(vault)
const tallies: Tally[] = []

afterAll(async () => {
  await vault.remove()
  const lines = [...tallies, total(tallies)].map(line)
  writeSync(1, `\n${lines.join('\n')}\n`)
})

test('every file of the folder runs through something, and none is missing', () => {
  expect(unaccounted(found, Object.keys(files))).toEqual([])
})

const present = Object.entries(files).filter(([name]) => found.includes(name))

test.each(present)('%s: no verdict but the expected one', async (name, casesOf) => {
  const tally = await compare(name, casesOf(subject, readFileSync(join(folder, name), 'utf8')))
  tallies.push(tally)
  expect(tally.unexpected).toEqual([])
})
