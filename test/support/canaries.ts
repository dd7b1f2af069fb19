/** A secret, and where it may nevertheless stand. */
export type Canary = { readonly name: string; readonly secret: Uint8Array }

/** Something that was said or stored, and could be read by somebody. */
export type Haystack = { readonly name: string; readonly content: Uint8Array }

/** Which secret shows in which place, and how: none, or it is out. */
export function leaks(
  haystacks: readonly Haystack[],
  canaries: readonly Canary[],
): readonly string[] {
  const needles = canaries.flatMap(({ name, secret }) =>
    spellings(secret).map(({ how, text }) => ({ name: `${name} ${how}`, text })),
  )
  return haystacks.flatMap(({ name, content }) => {
    const hay = Buffer.from(content)
    return needles
      .filter(({ text }) => hay.includes(text))
      .map((needle) => `${needle.name} in ${name}`)
  })
}

function spellings(secret: Uint8Array): readonly { how: string; text: Buffer }[] {
  const bytes = Buffer.from(secret)
  const hex = bytes.toString('hex')
  return [
    { how: 'raw', text: bytes },
    { how: 'in hex', text: Buffer.from(hex) },
    { how: 'in capital hex', text: Buffer.from(hex.toUpperCase()) },
    ...(['base64', 'base64url'] as const).flatMap((encoding) =>
      [0, 1, 2].map((skipped) => ({
        how: `in ${encoding}`,
        text: middle(bytes, skipped, encoding),
      })),
    ),
  ]
}

/** What base64 makes of it wherever it begins: without the characters that its neighbours share. */
function middle(bytes: Buffer, skipped: number, encoding: 'base64' | 'base64url'): Buffer {
  const whole = bytes.subarray(skipped)
  return Buffer.from(whole.subarray(0, whole.length - (whole.length % 3)).toString(encoding))
}
