/** Which addresses are no part of the public internet, and what an operator may allow nevertheless. */
import { BlockList, isIPv4 } from 'node:net'
import type { AllowedTarget } from '../config/allowed-targets.ts'

/**
 * From IANA's special-purpose registries (https://www.iana.org/assignments/iana-ipv4-special-registry, …/iana-ipv6-special-registry): what is not
 * globally reachable, and the fixed addresses under which clouds answer with credentials.
 */
const specialRanges: readonly (readonly [what: string, ranges: readonly string[]])[] = [
  ['a loopback address', ['127.0.0.0/8', '::1/128']],
  ['a link-local address, where clouds keep credentials', ['169.254.0.0/16', 'fe80::/10']],
  ['the address of a cloud’s metadata service', ['168.63.129.16/32', '100.100.100.200/32', '192.0.0.192/32', 'fd00:ec2::254/128', 'fd20:ce::254/128']],
  ['a private address', ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7', 'fec0::/10']],
  ['the unspecified address', ['0.0.0.0/8', '::/128']],
  ['a multicast address', ['224.0.0.0/4', 'ff00::/8']],
  [
    'a reserved address',
    [
      '192.0.0.0/24',
      '192.0.2.0/24',
      '192.88.99.0/24',
      '198.18.0.0/15',
      '198.51.100.0/24',
      '203.0.113.0/24',
      '240.0.0.0/4',
      '2001::/23',
      '2001:db8::/32',
      '3fff::/20',
    ],
  ],
  ['a 6to4 address, which may lead anywhere', ['2002::/16']],
]

/** IPv6 addresses that stand for an IPv4 address in their last 32 bits: mapped ones, and those of a NAT64. */
const carriers = ['::ffff:', '64:ff9b::']

const special = specialRanges.map(([what, ranges]) => ({ what, list: blockListOf(ranges) }))
const carried = blockListOf(['::ffff:0:0/96', '64:ff9b::/96'])
/** All that is handed out for the public internet; what lies outside of it is none. */
const globalUnicast = blockListOf(['2000::/3'])

/** A name never leads here, also one that is allowed: whoever answers for the name must not reach credentials of the machine. */
const neverByName = blockListOf(specialRanges.filter(([what]) => /link-local|metadata|unspecified|multicast/.test(what)).flatMap(([, ranges]) => ranges))

function blockListOf(ranges: readonly string[]): BlockList {
  const list = new BlockList()
  for (const range of ranges) addRange(list, range)
  return list
}

function addRange(list: BlockList, range: string): void {
  const [address = '', prefix] = range.split('/')
  if (!isIPv4(address)) return list.addSubnet(address, Number(prefix), 'ipv6')
  list.addSubnet(address, Number(prefix), 'ipv4')
  for (const carrier of carriers) list.addSubnet(`${carrier}${address}`, 96 + Number(prefix), 'ipv6')
}

/** What keeps an address from being public, e.g. `a private address`; undefined: it is public. */
export function specialAddress(address: string): string | undefined {
  if (isIPv4(address)) return special.find(({ list }) => list.check(address, 'ipv4'))?.what
  // A zone, as in fe80::1%eth0, exists only on one link.
  if (address.includes('%')) return 'a link-local address, where clouds keep credentials'
  const found = special.find(({ list }) => list.check(address, 'ipv6'))?.what
  if (found !== undefined) return found
  return globalUnicast.check(address, 'ipv6') || carried.check(address, 'ipv6') ? undefined : 'no public address'
}

/** Whether one of the allowed ranges has this address and port, or an allowed name this host and port. */
export function isAllowed(allowed: readonly AllowedTarget[], target: { readonly hostname: string; readonly port: number; readonly address?: string }): boolean {
  const { hostname, port, address } = target
  return allowed.some((entry) => {
    if (entry.port !== null && entry.port !== port) return false
    if (entry.kind === 'range') return address !== undefined && !address.includes('%') && rangeHas(entry, address)
    return entry.name === hostname && (address === undefined || !isNeverByName(address))
  })
}

function isNeverByName(address: string): boolean {
  return address.includes('%') || neverByName.check(address, isIPv4(address) ? 'ipv4' : 'ipv6')
}

function rangeHas({ address: start, prefix }: Extract<AllowedTarget, { kind: 'range' }>, address: string): boolean {
  return blockListOf([`${start}/${prefix}`]).check(address, isIPv4(address) ? 'ipv4' : 'ipv6')
}
