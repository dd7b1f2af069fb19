import { loadPackageDefinition, type sendUnaryData, Server, ServerCredentials } from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { join } from 'node:path'
import { type Cloud, cloudHandlers } from './cloud.ts'
import type { BlockSchema, ProviderSchema } from './schema.ts'

export interface OfflineProvider extends AsyncDisposable {
  /** For `TF_REATTACH_PROVIDERS`: https://developer.hashicorp.com/terraform/plugin/debugging */
  readonly reattach: Readonly<Record<string, object>>
}

/**
 * A provider in this process: it has a committed schema and, where a test brings one, a cloud of its own.
 * Listens on a free port of the loopback address; Terraform finds it by `reattach` and downloads nothing.
 */
export async function offlineProvider(
  schema: ProviderSchema,
  cloud?: Cloud,
): Promise<OfflineProvider> {
  const server = new Server()
  const handlers = { ...schemaHandlers(schema), ...cloudHandlers(schema, cloud) }
  server.addService(
    service(),
    Object.fromEntries(
      Object.entries(handlers).map(([name, handle]) => [
        name,
        ({ request }: { readonly request: unknown }, answer: sendUnaryData<object>) => {
          try {
            answer(null, handle(request))
          } catch (error) {
            answer(error instanceof Error ? error : new Error('not an error'))
          }
        },
      ]),
    ),
  )
  const port = await listening(server)
  return {
    reattach: {
      [schema.provider]: {
        Protocol: 'grpc',
        ProtocolVersion: 5,
        Pid: process.pid,
        Test: true,
        Addr: { Network: 'tcp', String: `127.0.0.1:${port}` },
      },
    },
    [Symbol.asyncDispose]: async () => server.forceShutdown(),
  }
}

function service() {
  const definition = loadSync(join(import.meta.dirname, 'provider.proto'), {
    keepCase: true,
    longs: Number,
    enums: String,
    defaults: true,
  })
  const room = loadPackageDefinition(definition)['tfplugin5']
  const found = room && 'Provider' in room ? room['Provider'] : undefined
  if (typeof found === 'function') return found.service
  throw new TypeError('provider.proto has no service Provider')
}

async function listening(server: Server): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
    error ? reject(error) : resolve(port),
  )
  return promise
}

function schemaHandlers({ configuration, resources, data_sources }: ProviderSchema) {
  const answer = {
    provider: { version: 0, block: onTheWire(configuration) },
    resource_schemas: schemasOf(resources),
    data_source_schemas: schemasOf(data_sources),
  }
  return { GetSchema: () => answer }
}

function schemasOf(blocks: Readonly<Record<string, BlockSchema>>) {
  return Object.fromEntries(
    Object.entries(blocks).map(([name, block]) => [name, { version: 0, block: onTheWire(block) }]),
  )
}

function onTheWire({ attributes, block_types }: BlockSchema): object {
  return {
    attributes: Object.entries(attributes).map(([name, { type, ...marks }]) => {
      return { name, type: Buffer.from(JSON.stringify(type)), ...marks }
    }),
    block_types: Object.entries(block_types).map(([type_name, { nesting_mode, block }]) => {
      return { type_name, nesting: nesting_mode.toUpperCase(), block: onTheWire(block) }
    }),
  }
}
