/** Where outgoing calls may go beyond the public internet: address ranges and names, each with or without a port. */
import { isIP } from 'node:net'

export type AllowedTarget =
  | { readonly kind: 'range'; readonly address: string; readonly prefix: number; readonly family: 'ipv4' | 'ipv6'; readonly port: number | null }
  /** Lower case, without a final dot. */
  | { readonly kind: 'name'; readonly name: string; readonly port: number | null }

/** A list with commas: `10.0.0.0/8`, `10.1.2.3:9090`, `[fd00::1]:9090`, `prometheus.internal`, `prometheus.internal:9090`. Throws an Error that says what is wrong. */
export function parseAllowedTargets(text: string): readonly AllowedTarget[] {
  const parts = text.split(',').map((part) => part.trim())
  return parts.filter((part) => part !== '').map(parseTarget)
}

function parseTarget(text: string): AllowedTarget {
  const target = parseRange(text) ?? parseName(text)
  if (target !== undefined) return target
  throw new Error(
    `${JSON.stringify(text)} is no place to allow: write a range (10.0.0.0/8), an address or a name, the last two with or without a port (10.1.2.3:9090, [fd00::1]:9090, prometheus.internal:9090)`,
  )
}

function parseRange(text: string): AllowedTarget | undefined {
  const range = /^([0-9a-f:.]+)\/(\d{1,3})$/i.exec(text)
  if (range !== null) return rangeOf(range[1] ?? '', Number(range[2]), null)
  const port = /^(?:\[([0-9a-f:.]+)\]|([\d.]+)):(\d{1,5})$/i.exec(text)
  if (port !== null) return isPort(port[3]) ? rangeOf(port[1] ?? port[2] ?? '', undefined, Number(port[3])) : undefined
  return rangeOf(text.replace(/^\[(.*)\]$/, '$1'), undefined, null)
}

function rangeOf(address: string, prefix: number | undefined, port: number | null): AllowedTarget | undefined {
  const version = isIP(address)
  const bits = version === 4 ? 32 : 128
  if (version === 0 || (prefix ?? 0) > bits) return undefined
  return { kind: 'range', address, prefix: prefix ?? bits, family: version === 4 ? 'ipv4' : 'ipv6', port }
}

function parseName(text: string): AllowedTarget | undefined {
  const match = /^([a-z0-9](?:[a-z0-9._-]*[a-z0-9])?)\.?(?::(\d{1,5}))?$/i.exec(text)
  if (match === null || (match[2] !== undefined && !isPort(match[2]))) return undefined
  const name = (match[1] ?? '').toLowerCase()
  // Whatever is left of digits and dots was meant as an address.
  return /^[\d.]+$/.test(name) ? undefined : { kind: 'name', name, port: match[2] === undefined ? null : Number(match[2]) }
}

function isPort(text: string | undefined): boolean {
  const port = Number(text)
  return port >= 1 && port <= 65_535
}
