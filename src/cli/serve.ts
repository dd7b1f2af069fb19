import type { Context } from './context.ts'

export async function serve({ host, output, configFile }: Context): Promise<void> {
  await host.serve(configFile, (urls) =>
    output.result([`listening: sign ${urls.sign}, ops ${urls.ops}`], urls),
  )
}
