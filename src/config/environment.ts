/** The one place that reads the environment; secrets never come from it. */
export function configFile(option: string | undefined): string {
  return option ?? process.env['CHANCERY_CONFIG'] ?? './chancery.yaml'
}

/** The embedded registry is another program: CHANCERY_CONFIG does not speak of it. */
export function registryFile(option: string | undefined): string {
  return option ?? './registry.yaml'
}

/** What libraries would obey behind the configuration's back: for whoever refuses that. */
export function environmentVariable(name: string): string | undefined {
  return process.env[name]
}

/** Who runs a command, for the audit: the operating system's word, not the user's. */
export function actorName(user: string, host: string): string {
  const sudo = process.env['SUDO_USER']
  return sudo === undefined ? `${user}@${host}` : `${user}@${host} (sudo ${sudo})`
}
