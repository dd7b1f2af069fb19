import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { importJWK, jwtVerify } from 'jose'
import { expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { chancery, documentOf, finished } from '../support/chancery.ts'
import { homeIn } from '../support/home.ts'

const published = z.looseObject({
  kty: z.literal('EC'),
  kid: z.string(),
  alg: z.literal('ES256'),
  use: z.literal('sig'),
})

test('init, serve and the very curl line that init printed make a JWT that jose verifies', async () => {
  const cwd = mkdtempSync(join(tmpdir(), 'chancery-first-'))
  onTestFinished(() => rmSync(cwd, { recursive: true }))
  const name = "a user's home" // which a shell has to be told
  const { stdout } = await chancery(['init', name], { cwd })
  const curl = stdout.split('\n').find((line) => line.trimStart().startsWith('curl ')) ?? ''
  const header = readFileSync(join(cwd, name, 'var/caller.header'), 'utf8')
  const home = homeIn(join(cwd, name), header.replace('Authorization: Bearer ', '').trim())
  home.usePorts()
  await using serving = await home.serve()

  const line = curl.replace('http://127.0.0.1:8480', serving.signUrl)
  expect(line).not.toBe(curl)
  const answer = await finished(spawn('sh', ['-c', line], { cwd, stdio: 'pipe' }))
  expect(answer).toMatchObject({ exitCode: 0, stderr: '' })
  expect(answer.stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/)

  const shown = await home.run(['keys', 'show', 'first-key', '--jwk'])
  const jwk = published.parse(documentOf(shown))
  const verified = await jwtVerify(answer.stdout.trim(), await importJWK(jwk, 'ES256'), {
    issuer: 'https://chancery.example',
    subject: 'hello',
    algorithms: ['ES256'],
  })
  expect(verified.protectedHeader).toEqual({ alg: 'ES256', typ: 'JWT', kid: jwk.kid })
  const { iat = 0, exp = 0 } = verified.payload
  expect(exp - iat).toBe(900)
})
