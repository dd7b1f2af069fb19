import { text } from 'node:stream/consumers'
import { closedLoop } from './closed-loop.ts'
import { loadJob } from './load-job.ts'
import { openLoop } from './open-loop.ts'

/**
 * The entry of the load generator's process: a job on stdin, a result on stdout. It shares the cores
 * with what it measures, so it does as little as it can: sockets, one request's bytes, and a counter.
 */
const job = loadJob.parse(JSON.parse(await text(process.stdin)))
const { ratePerSecond } = job
const result = await (ratePerSecond === undefined ? closedLoop(job) : openLoop(job, ratePerSecond))
process.stdout.write(`${JSON.stringify(result)}\n`)
