/** From an address that a person gave to the socket addresses that may be connected to; whatever else there is, is refused. */
import type { LookupAddress } from 'node:dns'
import { isIP } from 'node:net'
import type { AllowedTarget } from '../config/allowed-targets.ts'
import { isAllowed, specialAddress } from './address-rules.ts'
import { OutgoingError } from './errors.ts'

/** All addresses of a name. Asked once for each call. */
export type Resolve = (hostname: string) => Promise<readonly LookupAddress[]>

const howToAllow = 'the server’s option --outgoing-allow names the places that may be called besides the public internet'

export function portOf(url: URL): number {
  return url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port)
}

/** Lower case, an address without brackets, a name without its final dot. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '')
}

/** What can be told without asking for the name's addresses. @throws {OutgoingError} */
export function parseTarget(text: string, allowed: readonly AllowedTarget[]): URL {
  const url = URL.parse(text)
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) throw new OutgoingError('refused', 'the address is none of https:// or http://')
  if (url.username !== '' || url.password !== '')
    throw new OutgoingError('refused', 'the address has a user or password in it, where it would be shown to everybody who may look: leave it out')
  const [hostname, port] = [hostOf(url), portOf(url)]
  if (hostname === '') throw new OutgoingError('refused', 'the address names no host')
  if (isIP(hostname) !== 0) checkAddress(hostname, { hostname, port }, allowed)
  else if (isOwnName(hostname)) checkOwnName({ hostname, port }, allowed)
  if (url.protocol === 'http:' && !mayBePlain(hostname, port, allowed)) throw notEncrypted(url)
  return url
}

/** Names that stand for the machine itself, whatever a name server says (RFC 6761). */
function isOwnName(hostname: string): boolean {
  return hostname === 'localhost' || hostname.endsWith('.localhost')
}

function checkOwnName(target: { readonly hostname: string; readonly port: number }, allowed: readonly AllowedTarget[]): void {
  if (['127.0.0.1', '::1'].some((address) => isAllowed(allowed, { ...target, address }))) return
  throw new OutgoingError('refused', `${target.hostname} is this machine itself: not called; ${howToAllow}`)
}

/** A name may be allowed by itself, or by the range that its addresses are in; then only the addresses tell. */
function mayBePlain(hostname: string, port: number, allowed: readonly AllowedTarget[]): boolean {
  if (isIP(hostname) !== 0) return isAllowed(allowed, { hostname, port, address: hostname })
  return isAllowed(allowed, { hostname, port }) || allowed.some((entry) => entry.kind === 'range' && (entry.port === null || entry.port === port))
}

function notEncrypted(url: URL): OutgoingError {
  return new OutgoingError('refused', `${url.host} may only be called by https://; ${howToAllow}, also without encryption`)
}

/** Every address of the target, each checked: one bad one among them refuses it. @throws {OutgoingError} */
export async function resolveTarget(url: URL, allowed: readonly AllowedTarget[], resolve: Resolve): Promise<readonly LookupAddress[]> {
  const [hostname, port] = [hostOf(url), portOf(url)]
  const family = isIP(hostname)
  const addresses = family === 0 ? await addressesOf(hostname, resolve) : [{ address: hostname, family }]
  for (const { address } of addresses) {
    checkAddress(address, { hostname, port }, allowed)
    if (url.protocol === 'http:' && !isAllowed(allowed, { hostname, port, address })) throw notEncrypted(url)
  }
  return addresses
}

async function addressesOf(hostname: string, resolve: Resolve): Promise<readonly LookupAddress[]> {
  let addresses: readonly LookupAddress[]
  try {
    addresses = await resolve(hostname)
  } catch (cause) {
    throw new OutgoingError('unreachable', `the name ${hostname} has no address: look for a typing error, or at the name server`, { cause })
  }
  if (addresses.length === 0) throw new OutgoingError('unreachable', `the name ${hostname} has no address`)
  return addresses
}

function checkAddress(address: string, { hostname, port }: { hostname: string; port: number }, allowed: readonly AllowedTarget[]): void {
  const what = specialAddress(address)
  if (what === undefined || isAllowed(allowed, { hostname, port, address })) return
  const subject = address === hostname ? address : `${hostname} leads to ${address}, which`
  throw new OutgoingError('refused', `${subject} is ${what}: not called; ${howToAllow}`)
}
