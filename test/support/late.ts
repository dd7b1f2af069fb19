import { setTimeout as sleep } from 'node:timers/promises'
import { ServiceError } from '../../src/errors.ts'
import { eventually } from './serving.ts'

/** What has been sent by then may arrive first. */
const arrivalMs = 100

/** A deadline that passes when something is so: a number of milliseconds may be over before it on a busy machine. */
export function deadlineWhen(isSo: () => boolean): AbortSignal {
  const limit = new AbortController()
  const late = new ServiceError(
    'deadline_exceeded',
    'The deadline passed before the answer was ready',
  )
  const passed = eventually(isSo).then(() => sleep(arrivalMs))
  passed.then(
    () => limit.abort(late),
    (error: unknown) => limit.abort(error),
  )
  return limit.signal
}
