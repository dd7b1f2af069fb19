import { dirname, resolve } from 'node:path'
import { z } from 'zod'
import { type Complaints, readYaml } from './complaints.ts'
import { isRecord, resolvePaths } from './paths.ts'
import { durationMs } from '../lib/duration.ts'
import { address, isLoopback, type ListenAddress, path } from './schema.ts'
import { readText } from './text.ts'

/** CONTRACT §5. A file of its own: the embedded registry shares nothing with the service. */
const registryConfig = z.strictObject({
  listen: address.default({ host: '127.0.0.1', port: 8490 }),
  tls: z.strictObject({ certificateFile: path, keyFile: path }).optional(),
  sqlite: path,
  jwksMaxAge: durationMs.default(300_000),
  maxKeys: z.int().min(1).max(100).default(3),
})

/** Found to be whole: paths absolute, times in milliseconds. */
export type RegistryConfig = {
  readonly listen: ListenAddress
  readonly tls: { readonly certificateFile: string; readonly keyFile: string } | undefined
  readonly sqlite: string
  readonly jwksMaxAgeMs: number
  readonly maxKeys: number
}

/**
 * Reads and checks the embedded registry's configuration file.
 *
 * @throws {ServiceError} `config_invalid` with every complaint at once, each with its path and line.
 */
export function loadRegistryConfig(file: string): RegistryConfig {
  const absolute = resolve(file)
  const { value, complaints } = readYaml(readText(absolute, file, remedy), file)
  const config = read(value, dirname(absolute), complaints)
  complaints.assertNone()
  if (config === undefined) throw new TypeError('a configuration without complaints was not read')
  return config
}

const remedy = 'name a file with --config; README.md, "The embedded app registry", has one'

function read(value: unknown, directory: string, complaints: Complaints) {
  if (!isRecord(value)) {
    complaints.add([], 'not a mapping of members: begin with sqlite: ./var/registry.db')
    return undefined
  }
  const parsed = complaints.parse(registryConfig, resolvePaths(value, directory), [])
  if (!parsed) return undefined
  const { jwksMaxAge: jwksMaxAgeMs, tls, ...config } = parsed
  // Tokens travel over it.
  if (!tls && !isLoopback(config.listen)) {
    complaints.add(['listen'], 'not a loopback address: give tls a certificateFile and a keyFile')
  }
  return { ...config, tls, jwksMaxAgeMs }
}
