import { instant } from '../lib/clock.ts'
import type { Context } from './context.ts'

export async function revoke(
  { host, output, configFile }: Context,
  version: string,
  reason: string,
): Promise<void> {
  await using job = await host.openJob(configFile, 'revoke')
  const revoked = await job.revoke({ version, reason })
  const nothingAfter = instant(revoked.nothingAfter)
  const already = revoked.before === 'revoked' ? ' already' : ''
  const name = revoked.version
  const key = name.slice(0, name.indexOf('@'))
  output.result(
    [
      `${name} is revoked${already}: no signature by it can leave after ${nothingAfter}.`,
      ...(revoked.before === 'active'
        ? [
            `${key} has no version that signs now: run \`chancery rotate ${key}\` when it should sign again.`,
          ]
        : []),
    ],
    { version: name, before: revoked.before, nothingAfter },
  )
}
