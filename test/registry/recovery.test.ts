import { describe, expect, test } from 'vitest'
import { ServiceError } from '../../src/errors.ts'
import { deadline } from '../../src/lib/deadline.ts'
import { appRegistry, registrationOf, thrownBy, tokenCanary } from '../support/app-registry.ts'
import {
  errorOf,
  type Fault,
  faultyRegistry,
  listOf,
  type Said,
} from '../support/faulty-registry.ts'
import { patience } from '../support/signing-service.ts'

/** What a registry is asked again, and what never twice. */

const one = registrationOf()
const always =
  (said: Said): Fault =>
  () =>
    said
const noApp = 'The registry has no such app: correct organization and app in the configuration'
const incomplete = 'The registry does not list all of its keys'
const forgets = 'The registry accepted the key and does not list it'

describe('publishing to a registry that', () => {
  test('is down: it cannot be reached', async () => {
    const error = await thrownBy(appRegistry('http://127.0.0.1:1').publish(one, patience))
    expect(error).toMatchObject({
      code: 'registry_unavailable',
      message: 'The registry cannot be reached',
    })
  })

  test.each(['GET', 'POST'])(
    'hangs at %s: it did not answer in time, whoever’s time it was',
    async (hanging) => {
      const { url } = await faultyRegistry(({ method }) =>
        method === hanging ? 'hang' : undefined,
      )
      using limit = deadline(100)
      const error = await thrownBy(appRegistry(url).publish(one, limit.signal))
      expect(error).toMatchObject({
        code: 'registry_unavailable',
        message: 'The registry did not answer in time',
      })
    },
  )

  test('loses its reply: the next run finds the key, and sends nothing', async () => {
    const registry = await faultyRegistry(({ method, kid, kids }) => {
      if (method !== 'POST' || kid === undefined) return undefined
      kids.push(kid)
      return { status: 500, body: 'a page' }
    })
    const error = await thrownBy(appRegistry(registry.url).publish(one, patience))
    expect(error).toMatchObject({
      code: 'registry_unavailable',
      message: 'The registry answered 500',
    })
    expect(await appRegistry(registry.url).publish(one, patience)).toEqual({ verdict: 'done' })
    expect(registry.methods()).toEqual(['GET', 'POST', 'GET'])
    expect(registry.kids).toEqual([one.kid])
  })

  test('refuses a key pair as a duplicate of this app: it is there, which was asked for', async () => {
    const registry = await faultyRegistry(({ method, kid, kids }) => {
      if (method !== 'POST' || kid === undefined) return undefined
      kids.push(kid) // somebody else was faster
      return errorOf(400, 'BadRequest')
    })
    expect(await appRegistry(registry.url).publish(one, patience)).toEqual({ verdict: 'done' })
    expect(registry.methods()).toEqual(['GET', 'POST', 'GET', 'GET'])
  })

  test('answers with another key: what counts is the list', async () => {
    const { url, methods } = await faultyRegistry(({ method, kids }) => {
      if (method !== 'POST') return undefined
      kids.push('another-key')
      return { status: 201, body: { sys: { id: 'another-key' } } }
    })
    const registry = appRegistry(url)
    const error = await thrownBy(registry.publish(one, patience))
    expect(error).toMatchObject({ code: 'registry_unavailable', message: forgets })
    expect(methods().filter((method) => method === 'POST')).toHaveLength(1)
    expect(registry.pauses).toEqual([200, 200, 200, 200, 200])
  })

  test('shows no key before the time is over: the registry is what is late', async () => {
    const { url } = await faultyRegistry(({ method }) =>
      method === 'POST' ? { status: 201, body: {} } : undefined,
    )
    const pause = async () => {
      throw new ServiceError('deadline_exceeded', 'over')
    }
    const error = await thrownBy(appRegistry(url, tokenCanary, { pause }).publish(one, patience))
    expect(error).toMatchObject({
      code: 'registry_unavailable',
      message: 'The registry did not show the key in time',
    })
  })

  test('shows a key a moment later: it is waited for, and sent once', async () => {
    let lists = 0
    const { url, methods } = await faultyRegistry(({ method }) => {
      if (method === 'GET') lists += 1
      return method === 'GET' && lists < 4 ? { status: 200, body: listOf([]) } : undefined
    })
    expect(await appRegistry(url).publish(one, patience)).toEqual({ verdict: 'done' })
    expect(methods()).toEqual(['GET', 'POST', 'GET', 'GET', 'GET'])
  })
})

describe('a list of more than one page', () => {
  const kids = Array.from({ length: 7 }, (_, i) => `kid-${i}`)
  const paged: Fault = ({ method, path }) => {
    if (method !== 'GET') return undefined
    const skip = Number(new URL(path, 'http://registry').searchParams.get('skip'))
    return { status: 200, body: listOf(kids.slice(skip, skip + 3), kids.length) }
  }

  test('is read to its end: what stands on the last page is there', async () => {
    const { url, methods } = await faultyRegistry(paged)
    const listed = await appRegistry(url).list?.(patience)
    expect(listed?.map(({ kid }) => kid)).toEqual(kids)
    expect(methods()).toHaveLength(3)
    const last = { ...one, kid: 'kid-6' }
    expect(await appRegistry(url).publish(last, patience)).toEqual({ verdict: 'done' })
    expect(methods()).not.toContain('POST')
  })

  test('ends, however many there are said to be', async () => {
    let page = 0
    const { url, methods } = await faultyRegistry(() => {
      page += 1
      return { status: 200, body: listOf([`kid-${page}`], 1_000_000) }
    })
    const error = await thrownBy(appRegistry(url).publish(one, patience))
    expect(error.message).toBe(incomplete)
    expect(methods()).toHaveLength(10)
  })

  test('and a key that is listed twice takes two slots', async () => {
    const { url } = await faultyRegistry(always({ status: 200, body: listOf(['a', 'a']) }))
    expect(await appRegistry(url).list?.(patience)).toHaveLength(2)
  })
})

describe('withdrawing', () => {
  test('a key that is not there is done, and one that stays is not', async () => {
    const gone = await faultyRegistry(({ method }) =>
      method === 'DELETE' ? errorOf(404, 'NotFound') : undefined,
    )
    expect(await appRegistry(gone.url).withdraw(one, patience)).toEqual({ verdict: 'done' })
    const stays = await faultyRegistry(
      ({ method }) => (method === 'DELETE' ? { status: 204 } : undefined),
      [one.kid],
    )
    const error = await thrownBy(appRegistry(stays.url).withdraw(one, patience))
    expect(error).toMatchObject({
      code: 'registry_unavailable',
      message: 'The registry still lists the withdrawn key',
    })
  })

  test('from an app that is not there is refused, not done', async () => {
    const { url } = await faultyRegistry(always(errorOf(404, 'NotFound')))
    const error = await thrownBy(appRegistry(url).withdraw(one, patience))
    expect(error).toMatchObject({ code: 'registry_refused', message: noApp })
  })
})
