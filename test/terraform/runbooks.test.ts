import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { catalogueSchema } from '../../src/keys/catalogue.ts'
import { awsEnvironment, withAwsVault } from '../support/aws-vault.ts'
import { fakeKms, type FakeKms } from '../support/fake-kms.ts'
import { permits } from '../support/key-policy.ts'
import { type Home, homesOfThisFile, statesIn, withKey } from '../support/home.ts'
import { reviewed } from '../support/terraform-policies.ts'
import { shell, type Shell } from '../support/shell.ts'
import { bothClouds } from '../support/terraform-both-clouds.ts'
import { blocksOf, commandsOf, sectionOf } from '../support/terraform-runbooks.ts'
import { noRunbooks, type Workspace, workspace } from '../support/terraform.ts'

/** The commands of terraform/README.md, from its own text. Evidence about our side: AWS is the fake KMS. */

const example = 'examples/multi-cloud'

const roleOf = (duty: string) => `arn:aws:iam::111122223333:role/chancery/chancery-dev-${duty}`
/** What the administrator's root puts out. */
const identities = {
  signers: [roleOf('signer')],
  rotators: [roleOf('rotator')],
  provisioners: [roleOf('provisioner')],
  recoverers: ['arn:aws:iam::111122223333:role/break-glass'],
} as const

describe.skipIf(noRunbooks !== undefined)('the runbooks', () => {
  const homes = homesOfThisFile()
  let kms: FakeKms
  let place: Workspace
  let home: Home
  let sh: Shell

  /** Of the root's folder. */
  const at = (file: string) => join(place.root, example, file)
  const catalogue = () =>
    catalogueSchema.parse(JSON.parse(readFileSync(at('catalogue.json'), 'utf8')))
  const arnOf = (generation: string) =>
    Object.values(catalogue().keys).find(({ vault }) => vault === 'aws')?.generations[generation]
      ?.resource ?? ''
  const maySign = (generation: string) =>
    kms.world.mayCall('chancery-dev-signer', 'Sign', {
      KeyId: arnOf(generation),
      MessageType: 'RAW',
      SigningAlgorithm: 'ECDSA_SHA_256',
    })
  const edit = (from: string, to: string) => {
    const file = at('main.tf')
    const text = readFileSync(file, 'utf8')
    expect(text.split(from)).toHaveLength(2)
    writeFileSync(
      file,
      text.replace(from, () => to),
    )
  }
  const succeeds = async (commands: string) => {
    const ran = await sh.run(commands)
    expect({ ...ran, commands }).toMatchObject({ exitCode: 0, commands })
    return ran.stdout
  }
  const checkAndApply = async () => {
    await succeeds(commandsOf('Check'))
    await succeeds(commandsOf('Apply'))
  }

  beforeAll(async () => {
    kms = await fakeKms()
    place = await workspace(bothClouds(kms))
    home = homes.copy()
    home.edit((text) => configured(text, kms.endpoint, at('catalogue.json')))
    sh = shell(
      at('.'),
      {
        ...place.env,
        ...awsEnvironment,
        AWS_ACCESS_KEY_ID: 'chancery-dev-rotator',
        CHANCERY_CONFIG: home.configFile,
        TF_CLI_ARGS_apply: '-auto-approve -no-color',
        GIT_AUTHOR_NAME: 'a',
        GIT_AUTHOR_EMAIL: 'a@example.org',
        GIT_COMMITTER_NAME: 'a',
        GIT_COMMITTER_EMAIL: 'a@example.org',
      },
      // Deleting is a person's act, in an account that is not here.
      { aws: 'echo "$@" > aws.asked', az: 'echo "$@" >> az.asked' },
    )
    writeFileSync(at('terraform.tfvars'), 'environment = "dev"\n')
    writeFileSync(at('identities.auto.tfvars.json'), JSON.stringify({ identities }))
    // Smaller and quicker; and a lock file, which no provider of a test has.
    edit('alg                = "RS256"\n  modulus_bits       = 4096\n', 'alg = "ES256"\n')
    writeFileSync(at('.terraform.lock.hcl'), '')
    await succeeds('git init -q .')
  })

  afterAll(async () => {
    await place[Symbol.asyncDispose]()
    await kms[Symbol.asyncDispose]()
  })

  test('provide, add, promote, undo, retire, revoke and give up a key', async () => {
    await providesTheFirstTime()
    await adds()
    await promotes()
    await refusesToCutOff()
    await retires()
    await revokes()
    await decommissions()
    expect(Object.keys(catalogue().keys)).toEqual(['documents'])
  })

  async function providesTheFirstTime() {
    // A fresh checkout that lacks the catalogue: the remedy, and no plan.
    await succeeds('terraform init')
    const lacking = await sh.run('terraform plan -no-color')
    expect(lacking.exitCode).toBe(1)
    expect(lacking.stderr).toContain('-var first_apply=true')

    await succeeds(commandsOf('The first time'))
    expect(statesIn(home)).toEqual([
      'contentful-blog@1 active',
      expect.stringMatching(/^contentful-blog@2 (?:created|published)$/),
      'first-key@1 active',
    ])
  }

  /** What is planned passes the check, though it has no name yet. */
  async function adds() {
    const last = '    "2027-03" = { state = "enabled" }\n'
    edit(last, `${last}    "2027-09" = { state = "enabled" }\n`)
    await succeeds(commandsOf('Check'))
    expect(readFileSync(at('next.json'), 'utf8')).toContain('"2027-09"')
    await succeeds(commandsOf('Apply'))
    expect(arnOf('2027-09')).toMatch(/^arn:aws:kms:/)
    expect(await succeeds('git status --porcelain catalogue.json')).toBe('')
    expect(statesIn(home)).toHaveLength(4)
  }

  async function promotes() {
    await succeeds(commandsOf('Promote'))
    expect(statesIn(home)).toContain('contentful-blog@2 active')
  }

  /** Before an apply; and after one that nobody checked, which can be taken back. */
  async function refusesToCutOff() {
    edit('"2027-03" = { state = "enabled" }', '"2027-03" = { state = "retiring" }')
    const refused = { exitCode: 3, stdout: expect.stringContaining('contentful-blog@2 signs') }
    expect(await sh.run(commandsOf('Check'))).toMatchObject(refused)
    const committed = await succeeds('git rev-parse HEAD')
    expect(await sh.run(commandsOf('Apply'))).toMatchObject(refused)
    expect(maySign('2027-03')).toBe(false)
    expect(await succeeds('git rev-parse HEAD')).toBe(committed)
    await succeeds('git checkout -q catalogue.json')
    // An apply that fails leaves the catalogue alone: this plan is a used one.
    expect(await sh.run(commandsOf('Apply'))).toMatchObject({ exitCode: 1 })
    expect(await succeeds('git status --porcelain catalogue.json')).toBe('')
    edit('"2027-03" = { state = "retiring" }', '"2027-03" = { state = "enabled" }')
    await checkAndApply()
    expect(maySign('2027-03')).toBe(true)
  }

  async function retires() {
    edit('{ state = "enabled", initial = true }', '{ state = "retiring", initial = true }')
    await checkAndApply()
    expect(['2026-09', '2027-03'].map(maySign)).toEqual([false, true])
    // There is no way back.
    edit('{ state = "retiring", initial = true }', '{ state = "enabled", initial = true }')
    const { exitCode, stderr } = await sh.run('terraform plan -no-color')
    edit('{ state = "enabled", initial = true }', '{ state = "retiring", initial = true }')
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('append a new generation')])
  }

  async function revokes() {
    const shown = await succeeds(commandsOf('Emergency: a private key may be known'))
    expect(statesIn(home)).toEqual(
      expect.arrayContaining(['contentful-blog@2 revoked', 'contentful-blog@3 active']),
    )
    expect(kms.keyAt(arnOf('2027-03')).state).toBe('Disabled')
    const digests = [...shown.matchAll(/contentful\s+([\w-]{43})/g)].map(([, digest]) => digest)
    expect(digests).toHaveLength(3)
    edit('"2027-03" = { state = "enabled" }', '"2027-03" = { state = "disabled" }')
    edit('  keys = {\n', `  revoked = ["${digests[1]}"]\n  keys = {\n`)
    expect(await succeeds(commandsOf('Check'))).not.toContain('REVOKED')
    await succeeds(commandsOf('Apply'))
    expect(catalogue().revoked).toEqual([digests[1]])
  }

  async function decommissions() {
    const putBack = removeTheModule()
    const early = await sh.run('terraform plan -no-color')
    putBack()
    expect([early.exitCode, early.stderr]).toEqual([1, expect.stringContaining('put its module')])
    const all = await sh.run('terraform plan -destroy -no-color')
    expect([all.exitCode, all.stderr]).toEqual([1, expect.stringContaining('prevent_destroy')])

    home.edit((text) => text.replaceAll(/\n[^\n]*contentful-blog[^\n]*/g, ''))
    edit('{ state = "retiring", initial = true }', '{ state = "disabled", initial = true }')
    edit('"2027-09" = { state = "enabled" }', '"2027-09" = { state = "disabled" }')
    edit('alg = "ES256"\n', 'alg = "ES256"\n  without_enabled = true\n')
    await checkAndApply()
    const commands = `${commandsOf('Decommission a key', 0)}${commandsOf('Decommission a key', 1)}`
    const asked = ['2026-09', '2027-03', '2027-09'].map((generation) => ({
      commands: commands.replaceAll('2026-09', generation),
      is: `kms schedule-key-deletion --key-id ${arnOf(generation)} --pending-window-in-days 30\n`,
    }))
    for (const { commands: own, is } of asked) {
      await succeeds(own)
      expect(readFileSync(at('aws.asked'), 'utf8')).toBe(is)
    }
    removeTheModule()
    await checkAndApply()
  }

  /** And its entry in the catalogue. @returns what puts both back. */
  function removeTheModule(): () => void {
    const text = readFileSync(at('main.tf'), 'utf8')
    const [block = ''] = /\nmodule "contentful_blog" \{[^]*?\n\}\n/.exec(text) ?? []
    edit(block, '')
    edit('    contentful-blog = module.contentful_blog.catalogue_key\n', '')
    return () => writeFileSync(at('main.tf'), text)
  }

  test('an imported key gets the policy that keys of Terraform have', async () => {
    await succeeds(commandsOf('Import a key that somebody else made'))
    const asked = readFileSync(at('aws.asked'), 'utf8')
    expect(asked).toMatch(/^kms put-key-policy --key-id arn:aws:kms:\S+ --policy-name default /)
    const policy = readFileSync(at('policy.json'), 'utf8')
    const allowed = (duty: string, action: string, SigningAlgorithm: string) =>
      permits(policy, {
        principal: duty === 'recoverer' ? identities.recoverers[0] : roleOf(duty),
        action: `kms:${action}`,
        context: { 'kms:SigningAlgorithm': SigningAlgorithm, 'kms:MessageType': 'RAW' },
      })
    const [own, other] = ['RSASSA_PKCS1_V1_5_SHA_256', 'RSASSA_PSS_SHA_256']
    expect(allowed('signer', 'Sign', own)).toBe(true)
    expect(allowed('signer', 'Sign', other)).toBe(false)
    expect(allowed('rotator', 'DisableKey', own)).toBe(true)
    expect(allowed('recoverer', 'EnableKey', own)).toBe(true)
    expect(allowed('recoverer', 'Sign', own)).toBe(false)
    expect(allowed('administrator', 'PutKeyPolicy', own)).toBe(false)
  })

  test('an imported key gives each duty the role that Terraform made for it', async () => {
    await succeeds(commandsOf('Import a key that somebody else made', 1))
    const asked = readFileSync(at('az.asked'), 'utf8').split('\n')
    const roles = asked.flatMap(
      (line) => /assignment create --role (.*) --scope /.exec(line)?.[1] ?? [],
    )
    expect(roles).toHaveLength(3)
    const duties = ['signer', 'rotator', 'auditor']
    for (const [index, duty] of duties.entries())
      expect(reviewed(`azure/${duty}.json`)).toContain(`"role": "${roles[index]}"`)
  })

  test('have no commands that nobody ran', () => {
    expect(blocksOf(sectionOf('Runbooks'))).toHaveLength(9)
  })
})

function configured(text: string, endpoint: string, catalogue: string): string {
  const key =
    'contentful-blog: { vault: aws, alg: ES256, source: provisioned, profile: { name: generic-jwt, issuer: https://acme.example }, rotation: { every: 90d, overlap: 20m, standby: 1 } }'
  const grant =
    '  - { caller: first-caller, key: contentful-blog, operations: [sign-claims], maxLifetime: 15m, claims: { sub: { text: 20 } } }\n'
  return `catalogues: [${catalogue}]\n${withKey(withAwsVault(text, endpoint), key)}${grant}`
}
