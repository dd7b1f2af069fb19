import type { Ask } from '../../policy/matrix/case.ts'

/** A change of the text, at one of the levels that a signing input is made of. */
export type Change = { readonly where: string } & (
  | { readonly kind: 'insert'; readonly at: number; readonly noise: string }
  | { readonly kind: 'delete'; readonly at: number; readonly length: number }
  /** White space between two members: nobody may mind. */
  | { readonly kind: 'space'; readonly at: number }
  /** One more member, which may be there already. */
  | { readonly kind: 'first' | 'last'; readonly name: string; readonly value: unknown }
  /** A letter of a name, written with an escape. */
  | { readonly kind: 'escape'; readonly name: string }
)

/** A request, and the changes of its text. */
export type Changed = {
  readonly ask: Exclude<Ask, { readonly form: 'read' }>
  readonly changes: readonly Change[]
}

/** The text of a body, with its changes. */
export function bodyText({ ask, changes }: Changed): string {
  const at = (where: string, text: string) =>
    changes.filter((change) => change.where === where).reduce(changed, text)
  const base64url = (text: string) => Buffer.from(text).toString('base64url')
  switch (ask.form) {
    case 'claims': {
      const claims = at('header', at('payload', at('segments', JSON.stringify(ask.claims))))
      return at('body', `{"claims":${claims}}`)
    }
    case 'digest': {
      const digest = Buffer.alloc(ask.bytes, 7).toString('base64url')
      return at('body', JSON.stringify({ digest: at('segments', digest) }))
    }
    case 'message':
      return at('body', JSON.stringify({ message: at('segments', base64url(ask.text)) }))
    case 'signingInput': {
      const header = base64url(at('header', JSON.stringify(ask.header)))
      const payload = base64url(at('payload', JSON.stringify(ask.payload)))
      const signingInput = at('segments', `${header}.${payload}`)
      return at('body', JSON.stringify({ signingInput }))
    }
  }
}

function changed(text: string, change: Change): string {
  switch (change.kind) {
    case 'insert': {
      const at = change.at % (text.length + 1)
      return text.slice(0, at) + change.noise + text.slice(at)
    }
    case 'delete': {
      const at = change.at % (text.length + 1)
      return text.slice(0, at) + text.slice(at + change.length)
    }
    case 'space': {
      const gaps = [...text.matchAll(/[:,{](?=["{\d])/g)]
      const gap = gaps[change.at % (gaps.length || 1)]
      return gap ? `${text.slice(0, gap.index + 1)} ${text.slice(gap.index + 1)}` : text
    }
    case 'first':
      return text.replace('{', () => `{${member(change)}${/\{\s*\}/.test(text) ? '' : ','}`)
    case 'last':
      return text.replace(/\}(?=[^}]*$)/, () => `,${member(change)}}`)
    case 'escape': {
      const [letter = '', ...rest] = change.name
      const code = letter.charCodeAt(0).toString(16).padStart(4, '0')
      return text.replace(`"${change.name}":`, () => String.raw`"\u${code}${rest.join('')}":`)
    }
  }
}

function member({ name, value }: { readonly name: string; readonly value: unknown }): string {
  return `${JSON.stringify(name)}:${JSON.stringify(value)}`
}
