import { decode, encode, ExtensionCodec } from '@msgpack/msgpack'
import { z } from 'zod'

/** A value that Terraform will know after the apply only. */
export class Unknown {
  readonly kind = 'unknown'
}

export type Values = Readonly<Record<string, unknown>>

/** https://developer.hashicorp.com/terraform/plugin/terraform-plugin-protocol: object wire format, MessagePack */
const extensions = new ExtensionCodec()
const plainUnknown = 0
const refinedUnknown = 12
extensions.register({
  type: plainUnknown,
  encode: (value) => (value instanceof Unknown ? new Uint8Array([0]) : null),
  decode: () => new Unknown(),
})
extensions.register({ type: refinedUnknown, encode: () => null, decode: () => new Unknown() })

const object = z.record(z.string(), z.unknown()).nullable()

/** The values of a configuration or a state; undefined for the null of what is not, or no longer, there. */
export function readValues(msgpack: Uint8Array): Values | undefined {
  return object.parse(decode(msgpack, { extensionCodec: extensions })) ?? undefined
}

export function writeValues(values: Values | undefined): Uint8Array {
  return encode(values ?? null, { extensionCodec: extensions })
}
