import { createServer } from 'node:http'
import { listenAndTell, readJson, reply } from './peer.ts'

/** The entry of the least that a JSON service can do: parse the body, answer it. */
listenAndTell(
  createServer((request, response) => readJson(request, (body) => reply(response, body))),
)
