import type { Context } from './context.ts'

export async function initVault(
  { host, output, configFile }: Context,
  name: string,
): Promise<void> {
  const { masterKeyFile, directory } = await host.initVault(configFile, name)
  output.result(
    [
      `${masterKeyFile} is the master key of ${name}.`,
      `Back it up apart from ${directory}: without it no key in there can be opened again.`,
    ],
    { vault: name, masterKeyFile, directory },
  )
}

export async function rekeyVault(
  { host, output, configFile }: Context,
  name: string,
): Promise<void> {
  const versions = await host.rekeyVault(configFile, name)
  output.result(
    [
      `${name} has a new master key, and ${versions} ${versions === 1 ? 'version is' : 'versions are'} sealed under it.`,
      'Back it up. A running service goes on; it needs no restart.',
    ],
    { vault: name, versions },
  )
}
