import { describe, expect, test } from 'vitest'
import { ServiceError, toServiceError } from '../../src/errors.ts'
import { logger, type Logger } from '../../src/lib/log.ts'

/** What a log wrote, line by line, as JSON. */
function lines(write: (log: Logger) => void): readonly Record<string, unknown>[] {
  const written: string[] = []
  write(logger({ write: (line) => written.push(line) }))
  expect(
    written.every((line) => line.endsWith('\n') && line.indexOf('\n') === line.length - 1),
  ).toBe(true)
  return written.map((line): Record<string, unknown> => JSON.parse(line))
}

const instant = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)

test('a line is one JSON object: level, instant, event, and the fields given', () => {
  const written = lines((log) => {
    log.info('request', { request: '01J', status: 200, cached: false, rule: undefined })
    log.warn('drift')
  })
  expect(written).toEqual([
    { level: 'info', at: instant, event: 'request', request: '01J', status: 200, cached: false },
    { level: 'warn', at: instant, event: 'drift' },
  ])
})

test('a line feed in a field cannot start a line of its own', () => {
  const [line] = lines((log) => log.info('request', { key: 'a\n{"level":60}' }))
  expect(line).toMatchObject({ key: 'a\n{"level":60}' })
})

test('neither does an error show what ends a line elsewhere, or speaks to a terminal', () => {
  const written: string[] = []
  const log = logger({ write: (line) => written.push(line) })
  const text = 'a\u2028b\u2029c\u009b31m\u007f\u001b[31m\n'
  log.error('failed', new Error(text, { cause: new Error(text.repeat(1_000)) }))
  // oxlint-disable-next-line no-control-regex -- controls are what must not be there
  expect(written.join('').slice(0, -1)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/)
  expect(written).toHaveLength(1)
  expect(written.join('').length).toBeLessThan(20_000)
  expect(JSON.parse(written.join(''))).toMatchObject({
    error: expect.stringContaining(String.raw`a\u2028b\u2029c\u009b31m`),
  })
})

describe('an error', () => {
  const vendor = new TypeError('AccessDenied: arn:aws:kms:eu-central-1:111122223333:key/1')
  const error = new ServiceError('vault_denied', 'The vault refused', {
    cause: new Error('kms:Sign', { cause: vendor }),
    details: { retryAfterMs: 1, rule: 'a.rule', issues: [{ path: 'a', message: 'b' }] },
  })

  test('is logged with its code and all its causes, and nothing else', () => {
    const written = lines((log) => log.error('sign failed', error, { key: 'blog' }))
    expect(written).toEqual([
      {
        level: 'error',
        at: instant,
        event: 'sign failed',
        key: 'blog',
        code: 'vault_denied',
        error: [
          'ServiceError: The vault refused',
          'Error: kms:Sign',
          'TypeError: AccessDenied: arn:aws:kms:eu-central-1:111122223333:key/1',
        ].join(' <- '),
        stack: error.stack?.slice(0, 2_000),
      },
    ])
  })

  test('of ours says nothing outside of what nobody mapped, and keeps it as the cause', () => {
    const mapped = toServiceError(vendor)
    expect(mapped).toMatchObject({ code: 'internal_error', cause: vendor })
    expect(mapped.message).not.toContain('arn:')
    expect(toServiceError(error)).toBe(error)
  })

  test('has at most four causes shown, so that a circle of them ends', () => {
    const circle = new Error('round')
    circle.cause = circle
    const [line] = lines((log) => log.error('failed', circle))
    expect(line).toMatchObject({
      error: Array.from({ length: 4 }, () => 'Error: round').join(' <- '),
    })
  })

  test.each([['hunter2'], [{ password: 'hunter2' }], [undefined], [null], [42]])(
    'that is no Error shows nothing of what was thrown: %#',
    (thrown) => {
      const [line] = lines((log) => log.error('failed', thrown))
      expect(line).toEqual({ level: 'error', at: instant, event: 'failed', error: 'not an Error' })
    },
  )
})
