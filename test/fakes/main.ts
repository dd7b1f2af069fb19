import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { awsEnvironment } from '../support/aws-vault.ts'
import { azureFiles } from '../support/azure-vault.ts'
import { fakeKeyVault } from '../support/fake-key-vault.ts'
import { clientId, tenant } from '../support/fake-key-vault/tokens.ts'
import { fakeKms } from '../support/fake-kms.ts'
import { figure } from '../support/figure.ts'
import { region } from '../support/fake-kms/keys.ts'

/**
 * `npm run fakes`: the vaults that the tests are run against, as servers of their own on loopback, so that a
 * cloud configuration can be tried without an account. What is in them is gone when they end.
 */
const { values } = parseArgs({
  options: { json: { type: 'boolean', default: false }, 'kms-port': { type: 'string' } },
})

const directory = mkdtempSync(join(tmpdir(), 'chancery-fakes-'))
await using kms = await fakeKms(Number(values['kms-port'] ?? 0))
await using keyVault = await fakeKeyVault()
const { caFile, certificateFile } = azureFiles(keyVault, directory)

const vaults = {
  aws: { provider: 'aws-kms', region, endpoint: kms.endpoint },
  azure: {
    provider: 'azure-key-vault',
    vaultUrl: keyVault.origin,
    authorityHost: keyVault.origin,
    caFile,
    credential: 'client-certificate',
    tenantId: tenant,
    clientId,
    certificateFile,
  },
}
const environment = {
  AWS_ACCESS_KEY_ID: awsEnvironment.AWS_ACCESS_KEY_ID,
  AWS_SECRET_ACCESS_KEY: awsEnvironment.AWS_SECRET_ACCESS_KEY,
}

const written = (members: object) =>
  Object.entries(members).map(([name, value]) => `${name}: ${String(value)}`)
const text = [
  'In the configuration:',
  '',
  'vaults:',
  ...Object.entries(vaults).map(([name, vault]) => `  ${name}: { ${written(vault).join(', ')} }`),
  '',
  'In the environment of `rotate` and `serve`:',
  '',
  ...Object.entries(environment).map(([name, value]) => `export ${name}=${value}`),
  '',
  'Their keys are gone when they end: Ctrl-C.',
]
// Before anybody can read that they are there: who ends them at once ends them in order.
const ended = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
figure(values.json ? JSON.stringify({ vaults, environment }) : text.join('\n'))

await ended
rmSync(directory, { recursive: true })
