import { connect, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

/**
 * The entry of a process of slow clients: each sends one byte of a header a second, and comes again
 * when it is cut off. It tells when all are connected.
 */
const [port, connections] = process.argv.slice(2).map(Number)
const everyMs = 1_000
const head = 'POST /v1/keys/es256/sign HTTP/1.1\r\nHost: a\r\nX-Slow: '

/** As long as a listener waits for headers: those that come at once are cut off at once, again and again. */
const arrivingMs = 5_000
const atOnce = 50

const sockets: Socket[] = []
const count = connections ?? 0
for (let i = 0; i < count; i += 1) {
  if (i % atOnce === 0) await pause((arrivingMs * atOnce) / count)
  await open(i)
}
process.stdout.write('connected\n')
for (;;) {
  // Spread over the second, as clients would be.
  for (const [i, socket] of sockets.entries()) {
    if (i % atOnce === 0) await pause((everyMs * atOnce) / count)
    if (!socket.destroyed) socket.write('a')
  }
}

async function open(i: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const socket = connect({ host: '127.0.0.1', port: port ?? 0 }, () => {
    socket.write(head)
    resolve()
  })
  sockets[i] = socket
  socket.resume()
  socket.on('error', () => {})
  socket.once('close', () => {
    resolve()
    void pause(everyMs).then(() => open(i))
  })
  return promise
}
