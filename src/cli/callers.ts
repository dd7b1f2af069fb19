import { ServiceError } from '../errors.ts'
import { callerName } from '../config/schema.ts'
import type { Context } from './context.ts'

export async function newKey({ host, output }: Context, name: string): Promise<void> {
  const parsed = callerName.safeParse(name)
  if (!parsed.success)
    throw new ServiceError('usage', parsed.error.issues[0]?.message ?? 'not a caller name')
  const { text, id, sha256 } = host.newApiKey()
  output.result(
    [
      `The API key, shown once:  ${text}`,
      '',
      'For the configuration; an older key of the caller may stay beside it while both are in use:',
      'callers:',
      `  ${name}: { apiKeys: [{ id: ${id}, sha256: ${sha256} }] }`,
    ],
    { caller: name, apiKey: text, id, sha256 },
  )
}
