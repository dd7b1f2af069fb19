import { writeSync } from 'node:fs'
import { fuzzSign } from './run.ts'

/** `child.ts SEED REQUESTS`: a process of its own, so that every core has one. */
const [seed = 0, requests = 0] = process.argv.slice(2).map(Number)
writeSync(1, `${JSON.stringify(await fuzzSign(seed, requests))}\n`)
