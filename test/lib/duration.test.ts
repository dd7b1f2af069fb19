import { expect, test } from 'vitest'
import { parseDurationMs, parseRatePerSecond } from '../../src/lib/duration.ts'

test.each([
  ['1s', 1_000],
  ['30s', 30_000],
  ['10m', 600_000],
  ['12h', 43_200_000],
  ['90d', 7_776_000_000],
  ['999999s', 999_999_000],
])('%s is %i milliseconds', (text, ms) => {
  expect(parseDurationMs(text)).toBe(ms)
})

test.each([
  ['20/s', 20],
  ['1/s', 1],
  ['600/m', 10],
  ['6/m', 0.1],
])('%s is %d a second', (text, perSecond) => {
  expect(parseRatePerSecond(text)).toBe(perSecond)
})

/** No number of anything, with a unit or without. */
const neither = ['', '0', 's', '-1', '+1', '1.5', '1e3', '007', ' 1', '1 ', '٣', '1s1s', '0x1']

const noDuration = ['0s', '1ms', '1S', '1 s', '1s ', '1s\n', '1w', '1y', '1d12h', '1000000s']
const noRate = ['0/s', '1/h', '1/S', '1 /s', '1/s ', '1/s\n', '/s', '1/1s', '10000000/s']

test.each([...neither, ...neither.map((text) => `${text}s`), ...noDuration])(
  '%j is no duration',
  (text) => {
    expect(parseDurationMs(text)).toBeUndefined()
  },
)

test.each([...neither, ...neither.map((text) => `${text}/s`), ...noRate])(
  '%j is no rate',
  (text) => {
    expect(parseRatePerSecond(text)).toBeUndefined()
  },
)
