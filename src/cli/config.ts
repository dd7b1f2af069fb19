import type { Context } from './context.ts'

export async function checkConfig({ host, output, configFile }: Context): Promise<void> {
  const config = await host.checkConfig(configFile)
  const { file, environment, vaults, keys, callers, grants, warnings } = config
  const counts = {
    vaults: vaults.size,
    keys: keys.size,
    callers: callers.length,
    grants: grants.length,
  }
  const summary = Object.entries(counts).map(([name, count]) => `${count} ${name}`)
  const good = `${file} is good: environment ${environment}, ${summary.join(', ')}`
  const remarks = warnings.map(({ path, message }) => `warning: ${path}: ${message}`)
  output.result([good, ...remarks], { file, environment, ...counts, warnings })
}

export async function printSchema({ host, output }: Context): Promise<void> {
  output.text(JSON.stringify(host.configJsonSchema(), undefined, output.json ? 0 : 2))
}
