import { relative } from 'node:path'
import type { Context } from './context.ts'

export async function init({ host, output }: Context, directory: string): Promise<void> {
  const { configFile, headerFile, apiKey, version } = await host.init(directory)
  const serve = `npx chancery --config ${here(configFile)} serve`
  const curl =
    `curl -sS -H @${here(headerFile)} -H 'Content-Type: application/json' -H 'Accept: text/plain' ` +
    `-d '{"claims":{"sub":"hello"}}' http://127.0.0.1:8480/v1/keys/first-key/sign`
  output.result(
    [
      `${here(configFile)} is written, and ${version} is ready to sign.`,
      '',
      `The API key of first-caller, shown once:  ${apiKey}`,
      `It also stands in ${here(headerFile)}, for curl.`,
      'Back up var/master.key: without it the keys in var/vault cannot be opened.',
      '',
      'Go on with:',
      `  ${serve}`,
      `  ${curl}`,
    ],
    { configFile, headerFile, apiKey, version, next: [serve, curl] },
  )
}

/** As short as it can be typed from here. */
function here(file: string): string {
  const short = relative(process.cwd(), file)
  return shellWord(short.startsWith('..') ? file : short)
}

/** As a POSIX shell reads it back. */
function shellWord(text: string): string {
  return /^[\w./@-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
