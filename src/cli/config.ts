import type { Context } from './context.ts'

export async function checkConfig({ host, output, configFile }: Context): Promise<void> {
  const { file, environment, vaults, keys, callers, grants } = await host.checkConfig(configFile)
  const counts = {
    vaults: vaults.size,
    keys: keys.size,
    callers: callers.length,
    grants: grants.length,
  }
  const summary = Object.entries(counts).map(([name, count]) => `${count} ${name}`)
  output.result([`${file} is good: environment ${environment}, ${summary.join(', ')}`], {
    file,
    environment,
    ...counts,
  })
}

export async function printSchema({ host, output }: Context): Promise<void> {
  output.text(JSON.stringify(host.configJsonSchema(), undefined, output.json ? 0 : 2))
}
