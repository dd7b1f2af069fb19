import type { Host } from './host.ts'
import type { Output } from './output.ts'

/** What every command is given. */
export type Context = {
  readonly host: Host
  readonly output: Output
  /** `--config`, else CHANCERY_CONFIG, else ./chancery.yaml. */
  readonly configFile: string
}
