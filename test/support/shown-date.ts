import type { ServerResponse } from 'node:http'

/** What a fake's answers carry as `Date`: Node's own unless told, and none where it is told `undefined`. */
export type ShownDate = { text?: () => string | undefined }

export function showDate(response: ServerResponse, { text }: ShownDate): void {
  if (!text) return
  response.sendDate = false
  const date = text()
  if (date !== undefined) response.setHeader('Date', date)
}

/** As a server writes it whose clock has this instant, epoch milliseconds. */
export function httpDate(at: number): string {
  return new Date(at).toUTCString()
}
