import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { schemaOf, versionOf } from '../../terraform/testing/generated-code.ts'
import { committedSchema } from '../../terraform/testing/schema.ts'
import { terraformFolder } from '../support/terraform.ts'

/** As cdktn writes it, of a resource that does not exist. */
const declarations = `
export interface ThingConfig extends cdktn.TerraformMetaArguments {
    /**
    * Docs at Terraform Registry: {@link https://registry.terraform.io/x/docs/resources/thing#key_size Thing#key_size}
    */
    readonly keySize?: number;
    /**
    * Docs at Terraform Registry: {@link https://registry.terraform.io/x/docs/resources/thing#key_type Thing#key_type}
    */
    readonly keyType: string;
    /**
    * Docs at Terraform Registry: {@link https://registry.terraform.io/x/docs/resources/thing#scopes Thing#scopes}
    */
    readonly scopes?: string[];
    /**
    * timeouts block
    *
    * Docs at Terraform Registry: {@link https://registry.terraform.io/x/docs/resources/thing#timeouts Thing#timeouts}
    */
    readonly timeouts?: ThingTimeouts;
}
export interface ThingTimeouts {
    /**
    * Docs at Terraform Registry: {@link https://registry.terraform.io/x/docs/resources/thing#read Thing#read}
    */
    readonly read: string;
}
`
const setting = (name: string, isBlock: boolean, type: string, storage: string) => `
            ${name}: {
                value: cdktn.anything(this._${name}),
                isBlock: ${isBlock},
                type: "${type}",
                storageClassType: "${storage}",
            },`
const js = `
function thingTimeoutsToHclTerraform(struct) {
    const attrs = {${setting('read', false, 'simple', 'string')}
    };
}
class ThingNotesOutputReference extends cdktn.ComplexObject {
    get author() {
        return this.getStringAttribute('author');
    }
}
class Thing extends cdktn.TerraformResource {
    constructor() {
        super({ providerName: 'acme',
                providerVersion: '1.2.3' });
    }
    // arn - computed: true, optional: false, required: false
    get arn() {
        return this.getStringAttribute('arn');
    }
    // key_size - computed: true, optional: true, required: false
    get keySize() {
        return this.getNumberAttribute('key_size');
    }
    // notes - computed: true, optional: false, required: false
    _notes = new ThingNotesList(this, "notes", true);
    synthesizeHclAttributes() {
        const attrs = {${setting('key_size', false, 'simple', 'number')}${setting('key_type', false, 'simple', 'string')}${setting('scopes', false, 'set', 'stringList')}${setting('timeouts', true, 'struct', 'ThingTimeouts')}
        };
    }
}
`

test('a schema is read out of generated code', () => {
  expect(versionOf({ js, declarations })).toEqual({ name: 'acme', version: '1.2.3' })
  expect(schemaOf({ js, declarations })).toEqual({
    attributes: {
      arn: { type: 'string', computed: true },
      key_size: { type: 'number', optional: true, computed: true },
      key_type: { type: 'string', required: true },
      notes: { type: ['set', ['object', { author: 'string' }]], computed: true },
      scopes: { type: ['set', 'string'], optional: true },
    },
    block_types: {
      timeouts: {
        nesting_mode: 'single',
        block: { attributes: { read: { type: 'string', required: true } }, block_types: {} },
      },
    },
  })
})

test.each([
  ['a type that is not known', js.replace('"stringList"', '"anyList"')],
  ['a block of an unknown kind', js.replace('"struct"', '"tuple"')],
  ['a block without a function of its own', js.replace('thingTimeoutsToHclTerraform', 'other')],
  ['a class of another form', js.replace('class Thing extends', 'const Thing = class extends')],
])('%s is refused, never guessed', (_, changed) => {
  expect(() => schemaOf({ js: changed, declarations })).toThrow(Error)
})

test.each(['aws', 'azurerm'] as const)(
  'the committed schema of %s says where it is from, and so does NOTICE',
  (name) => {
    const { provider, version, from, resources } = committedSchema(name)
    expect(provider).toBe(`registry.terraform.io/hashicorp/${name}`)
    expect(Object.keys(resources).length).toBeGreaterThan(3)
    const notice = readFileSync(resolve(terraformFolder, '../NOTICE'), 'utf8').replaceAll('\n', ' ')
    expect(notice).toContain(`${from} (Terraform provider hashicorp/${name} ${version})`)
  },
)
