import { describe, expect, test } from 'vitest'
import { changed, complaintsOf, loadText } from '../support/config-text.ts'

const dayMs = 86_400_000

/** `reports`, whose grant allows tokens of 15 minutes, with a registry or without. */
function reports(rotation: string, registry = ''): string {
  const key = `alg: ES256\n    rotation: ${rotation}${registry && `\n    registry: { name: apps, app: reports }`}`
  const apps = `registries:\n  apps: { type: embedded, url: "http://127.0.0.1:8490", organization: acme, tokenFile: ./t }\n`
  return `${changed('alg: ES256', key)}${registry && apps}`
}

const policy = (text: string) => loadText(text).config.rotations.get('reports')

describe('a rotation', () => {
  test('is as its key says', () => {
    const text = reports('{ every: 90d, overlap: 2d, standby: 0, propagation: 10m }', 'apps')
    expect(policy(text)).toEqual({
      everyMs: 90 * dayMs,
      overlapMs: 2 * dayMs,
      standby: 0,
      propagationMs: 600_000,
    })
  })

  test.each([
    ['with a registry has one version that stands by, seen for 5 minutes', 'apps', 1, 300_000],
    ['without a registry has none, and nobody to wait for', '', 0, 0],
  ])('%s, where nothing is said', (_, registry, standby, propagationMs) => {
    const usual = { everyMs: undefined, overlapMs: 7 * dayMs, standby, propagationMs }
    expect(policy(reports('{}', registry))).toEqual(usual)
    expect(policy(changed('alg: ES256', 'alg: ES256'))).toMatchObject({ overlapMs: 7 * dayMs })
  })

  test('whose tokens live longer than is usual keeps its versions longer than is usual', () => {
    const long = changed('maxLifetime: 15m', 'maxLifetime: 30d')
    expect(policy(long)).toMatchObject({ overlapMs: 30 * dayMs + 120_000 })
  })

  test('overlaps at least as long as the longest token that a grant allows, and 120 s', () => {
    expect(complaintsOf(reports('{ overlap: 1020s }'))).toEqual([])
    expect(complaintsOf(reports('{ overlap: 1019s }'))).toEqual([
      {
        path: 'keys.reports.rotation.overlap',
        message: expect.stringContaining('at least 1020s'),
      },
    ])
  })

  test.each([
    ['{ every: 90 }', 'every'],
    ['{ overlap: forever }', 'overlap'],
    ['{ standby: 2 }', 'standby'],
    ['{ propagation: 0s }', 'propagation'],
    ['{ slots: 3 }', 'slots'],
  ])('of %s is refused', (rotation, member) => {
    const paths = complaintsOf(reports(rotation)).map(({ path }) => path)
    expect(paths).toEqual([`keys.reports.rotation.${member}`])
  })

  test('that is due again before it can be over is warned of', () => {
    const { warnings } = loadText(reports('{ every: 7d, overlap: 7d }', 'apps')).config
    expect(warnings.map(({ path }) => path)).toContain('keys.reports.rotation.every')
    const good = loadText(reports('{ every: 8d, overlap: 7d }', 'apps')).config.warnings
    expect(good.map(({ path }) => path)).not.toContain('keys.reports.rotation.every')
  })
})
