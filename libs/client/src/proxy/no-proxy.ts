/** Which hosts are reached without the environment's proxy, by the rules that Collectors follow. Pure. */
import { BlockList, isIP } from 'node:net'

/**
 * `list` as in NO_PROXY: names (with their subdomains), `.name` and `*.name` (subdomains only), addresses, networks (`10.0.0.0/8`), each
 * with or without a port, and `*` for everything. This machine itself (localhost, loopback) never needs a proxy.
 */
export function isExempt(host: string, port: number, list: string): boolean {
  const name = withoutBrackets(host.toLowerCase()).replace(/\.$/, '')
  if (name === 'localhost' || isLoopback(name)) return true
  return list.split(/[,\s]+/).some((entry) => entry !== '' && matches(name, port, entry.toLowerCase()))
}

function matches(name: string, port: number, entry: string): boolean {
  if (entry === '*') return true
  if (entry.includes('/')) return isInNetwork(name, entry)
  const { pattern, onlyPort } = splitPort(entry)
  if (onlyPort !== undefined && onlyPort !== port) return false
  if (isIP(pattern) !== 0) return isInNetwork(name, pattern)
  const domain = pattern.replace(/^\*\./, '.')
  return domain.startsWith('.') ? name.endsWith(domain) : name === domain || name.endsWith(`.${domain}`)
}

/** `[::1]:443`, `::1`, `name:443`: an address with several colons has a port only behind brackets. */
function splitPort(entry: string): { readonly pattern: string; readonly onlyPort?: number } {
  const match = /^(\[[^\]]+\]|[^:]+):(\d{1,5})$/.exec(entry)
  return match === null ? { pattern: withoutBrackets(entry) } : { pattern: withoutBrackets(match[1] ?? ''), onlyPort: Number(match[2]) }
}

function isInNetwork(address: string, network: string): boolean {
  const [base = '', prefix] = network.split('/')
  const family = isIP(address)
  if (family === 0 || isIP(base) !== family) return false
  const longest = family === 4 ? 32 : 128
  const bits = prefix === undefined ? longest : Number(prefix)
  if (!Number.isInteger(bits) || bits < 0 || bits > longest) return false
  const kind = family === 4 ? 'ipv4' : 'ipv6'
  const block = new BlockList()
  block.addSubnet(base, bits, kind)
  return block.check(address, kind)
}

const isLoopback = (name: string) => isInNetwork(name, '127.0.0.0/8') || isInNetwork(name, '::1')

const withoutBrackets = (host: string) => host.replace(/^\[(.*)\]$/, '$1')
