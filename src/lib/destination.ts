import { BlockList, isIP } from 'node:net'

/**
 * Where the service may go for an issuer's documents. The configuration says which issuers there are;
 * what an issuer's own document names is trusted less, and what a name resolves to is looked at.
 */
export type AddressKind = 'public' | 'private' | 'loopback' | 'forbidden'

/** An address range: network, prefix length. */
type Range = readonly [network: string, prefixBits: number]

/**
 * https://www.iana.org/assignments/iana-ipv4-special-registry
 * https://www.iana.org/assignments/iana-ipv6-special-registry
 */
const ranges: Readonly<Record<AddressKind, readonly Range[]>> = {
  loopback: [
    ['127.0.0.0', 8],
    ['::1', 128],
  ],
  private: [
    ['10.0.0.0', 8],
    ['172.16.0.0', 12],
    ['192.168.0.0', 16],
    ['100.64.0.0', 10],
    ['fc00::', 7],
  ],
  // https://www.iana.org/assignments/ipv6-address-space: all else of IPv6 is nobody's yet.
  public: [
    ['0.0.0.0', 0],
    ['2000::', 3],
  ],
  forbidden: [
    ['0.0.0.0', 8],
    ['169.254.0.0', 16],
    ['192.0.0.0', 24],
    ['192.0.2.0', 24],
    ['192.88.99.0', 24],
    ['198.18.0.0', 15],
    ['198.51.100.0', 24],
    ['203.0.113.0', 24],
    ['224.0.0.0', 4],
    ['240.0.0.0', 4],
    ['2001::', 23],
    ['2001:db8::', 32],
    ['2002::', 16],
    ['3fff::', 20],
    // Metadata services inside ranges that are otherwise fine:
    // https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
    // https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
    // https://www.alibabacloud.com/help/ecs/user-guide/view-instance-metadata
    // https://cloud.google.com/compute/docs/metadata/querying-metadata
    ['fd00:ec2::254', 128],
    ['fd20:ce::254', 128],
    ['168.63.129.16', 32],
    ['100.100.100.200', 32],
  ],
}

const lists = {
  forbidden: blockList(ranges.forbidden),
  loopback: blockList(ranges.loopback),
  private: blockList(ranges.private),
  public: blockList(ranges.public),
} as const

function blockList(entries: readonly Range[]): BlockList {
  const list = new BlockList()
  for (const [network, bits] of entries) {
    list.addSubnet(network, bits, network.includes(':') ? 'ipv6' : 'ipv4')
  }
  return list
}

/** What kind of place an IP address is; an IPv4 address in IPv6's clothes is what it is inside. */
export function addressKind(address: string): AddressKind {
  const family = isIP(address)
  if (family === 0) return 'forbidden'
  const type = family === 6 ? 'ipv6' : 'ipv4'
  const kinds = ['forbidden', 'loopback', 'private', 'public'] as const
  return kinds.find((kind) => lists[kind].check(address, type)) ?? 'forbidden'
}

/** A URL that may be fetched, and the kinds of address that its host may turn out to be. */
export type Destination = { readonly url: URL; readonly kinds: readonly AddressKind[] }
export type DestinationVerdict = Destination | { readonly refused: string }

/**
 * A URL from the configuration: https, also in a private network, since companies run their own
 * issuers. Plain http, and this host, only by a loopback address that is written out.
 */
export function configuredDestination(text: string): DestinationVerdict {
  const read = readUrl(text)
  if ('refused' in read) return read
  const literal = literalKind(read.url)
  if (literal === 'forbidden') return { refused: 'nothing is at this address' }
  if (literal === 'loopback') return { ...read, kinds: ['loopback'] }
  if (read.url.protocol !== 'https:') {
    return { refused: 'https only; http on a loopback address only, like http://127.0.0.1:8080' }
  }
  return { ...read, kinds: ['public', 'private'] }
}

/**
 * A URL that an issuer's document names: the issuer's own origin, or a public https host by name. An
 * issuer, or whoever speaks for it, must not be able to send us into our own network.
 */
export function discoveredDestination(text: string, issuer: Destination): DestinationVerdict {
  const read = readUrl(text)
  if ('refused' in read) return read
  if (read.url.origin === issuer.url.origin) return { ...read, kinds: issuer.kinds }
  if (read.url.protocol !== 'https:') return { refused: 'https only' }
  if (literalKind(read.url) !== undefined) return { refused: 'a host name, not an address' }
  return { ...read, kinds: ['public'] }
}

/** `URL` drops white space and turns backslashes: what is written must be what is fetched. */
function readUrl(text: string): { readonly url: URL } | { readonly refused: string } {
  const url = /[\s\\]/.test(text) ? null : URL.parse(text)
  if (!url) return { refused: 'not a URL' }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return { refused: 'https only' }
  if (url.username || url.password) return { refused: 'no user and no password in it' }
  if (text.includes('#')) return { refused: 'no fragment' }
  if (!/^(?:\[[\da-f:]+\]|[\w.-]+)$/.test(url.hostname)) return { refused: 'no host name' }
  // RFC 6761 §6.3: a name that never leaves this host, whatever a resolver says.
  if (/(?:^|\.)localhost\.?$/.test(url.hostname)) {
    return { refused: 'no localhost: write the address out, like 127.0.0.1' }
  }
  return { url }
}

/** Undefined for a name; `URL` has already made plain addresses of 0x7f.1 and the like. */
function literalKind({ hostname }: URL): AddressKind | undefined {
  const address = hostname.replace(/^\[|\]$/g, '')
  return isIP(address) === 0 ? undefined : addressKind(address)
}
