import { ServiceError } from '../errors.ts'

/** CONTRACT §1: nothing beyond this is read. */
const bodyBytesMax = 65_536

/** @throws {ServiceError} `request_too_large`. */
export function assertBodyFits(bytes: number): void {
  if (bytes <= bodyBytesMax) return
  throw new ServiceError('request_too_large', `A body has at most ${bodyBytesMax} bytes`)
}
