import { expect, test } from 'vitest'
import { type ClockReading, type ClockSource, ClockWatch } from '../../src/lib/clock-watch.ts'
import { manualClock } from '../support/manual-clock.ts'
import { httpDate } from '../support/shown-date.ts'

/** Others' clocks go right; ours is in the test's hands. */
function watched() {
  const clock = manualClock()
  const changes: string[] = []
  const changed = ({ source, verdict }: ClockReading) => void changes.push(`${source} ${verdict}`)
  const watch = new ClockWatch(clock, changed)
  const right = manualClock(clock.now())
  const hear = (source: ClockSource = 'registry apps', date = httpDate(right.now())) => {
    const answered = watch.timingOf(source)()
    answered(new Headers(date === '' ? {} : { Date: date }))
  }
  const verdicts = () => watch.readings.map(({ source, verdict }) => `${source} ${verdict}`)
  return { clock, right, watch, hear, changes, verdicts }
}

const hourMs = 3_600_000
const both: readonly ClockSource[] = ['registry apps', 'vault aws']

test('before anybody has said anything, nothing is known and nothing is refused', () => {
  const { watch, hear } = watched()
  hear('registry apps', '')
  hear('registry apps', 'rubbish')
  expect(watch.readings).toEqual([])
  watch.assertRight(both)
})

test('a step of −1 h between two answers is seen, told once, and over when the clock is set again', () => {
  const { clock, watch, hear, changes } = watched()
  hear()
  watch.assertRight(both)
  clock.step(-hourMs)
  hear()
  hear()
  expect(() => watch.assertRight(both)).toThrow(
    expect.objectContaining({
      code: 'clock_wrong',
      message:
        'The clock of this host is 3601 s behind that of registry apps: set it by NTP, or where it is right that other one',
    }),
  )
  clock.step(hourMs)
  hear()
  watch.assertRight(both)
  expect(changes).toEqual(['registry apps refuse', 'registry apps fine'])
})

test('a clock that is frozen is warned of after 30 s, and refused after 120 s', () => {
  const { right, hear, verdicts, changes } = watched()
  const seen = [20, 25, 75, 5].map((seconds) => {
    right.advance(seconds * 1_000)
    hear()
    return verdicts()
  })
  expect(seen.flat()).toEqual([
    'registry apps fine',
    'registry apps warn',
    'registry apps refuse',
    'registry apps refuse',
  ])
  expect(changes).toEqual(['registry apps warn', 'registry apps refuse'])
})

test('one that agrees excuses nothing: it may be wrong together with ours', () => {
  const { watch, hear, clock, verdicts } = watched()
  clock.step(hourMs)
  hear('registry apps', httpDate(clock.now()))
  hear('vault aws')
  expect(verdicts()).toEqual(['registry apps fine', 'vault aws refuse'])
  expect(() => watch.assertRight(both)).toThrow(expect.objectContaining({ code: 'clock_wrong' }))
})

test('an answer without a Date leaves what was known', () => {
  const { watch, hear, clock } = watched()
  clock.step(hourMs)
  hear()
  hear('registry apps', '')
  expect(() => watch.assertRight(both)).toThrow(expect.objectContaining({ code: 'clock_wrong' }))
})

test('what one source says counts for those alone who depend on it', () => {
  const { watch, hear, clock } = watched()
  clock.step(hourMs)
  hear('vault aws')
  watch.assertRight(['vault local', 'registry apps'])
  expect(() => watch.assertRight(['vault local', 'vault aws'])).toThrow(
    expect.objectContaining({ code: 'clock_wrong' }),
  )
})
