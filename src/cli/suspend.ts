import { instant } from '../lib/clock.ts'
import { readSubject } from '../service/suspend.ts'
import type { Context } from './context.ts'

export async function changeSuspension(
  { host, output, configFile }: Context,
  verb: 'suspend' | 'resume',
  asked: { readonly kind: string; readonly name: string | undefined; readonly reason: string },
): Promise<void> {
  const subject = readSubject(asked.kind, asked.name)
  await using job = await host.openJob(configFile, verb)
  const result = await job[verb]({ subject, reason: asked.reason })
  const what = subject.kind === 'everything' ? 'everything' : `${subject.kind} ${subject.name}`
  const { changed } = result
  const nothingAfter = result.nothingAfter === undefined ? undefined : instant(result.nothingAfter)
  output.result([sentence(verb, what, changed, nothingAfter)], {
    ...subject,
    changed,
    nothingAfter,
  })
}

function sentence(
  verb: 'suspend' | 'resume',
  what: string,
  changed: boolean,
  nothingAfter: string | undefined,
): string {
  const already = changed ? '' : ' already'
  if (verb === 'suspend')
    return `${what} is suspended${already}: nothing can leave after ${nothingAfter}.`
  return changed ? `${what} is resumed; other suspensions stay.` : `${what} was not suspended.`
}
