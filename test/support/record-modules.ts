import { appendFileSync } from 'node:fs'
import { registerHooks } from 'node:module'

/**
 * For `node --import`: the URL of every module that this process loads, also in its workers, one a
 * line in the file that the environment names.
 */
const file = process.env['RECORD_MODULES_IN']
if (file === undefined) throw new Error('RECORD_MODULES_IN names the file to write to')

registerHooks({
  load(url, context, nextLoad) {
    appendFileSync(file, `${url}\n`)
    return nextLoad(url, context)
  },
})
