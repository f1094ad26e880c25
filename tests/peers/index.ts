/** Suites that need real peers: they are built first; where they cannot be had the suite says so and skips. */
import { describe, it } from 'vitest'
import { PeerUnavailableError, buildPeer } from './build.ts'
import type { PeerName } from './build.ts'

export type { PeerName } from './build.ts'

export type Peers<Name extends PeerName> = { readonly [N in Name]: string }

/**
 * The executables of the named peers, or a sentence why they cannot be had.
 * With DROVER_REQUIRE_PEERS=1 a missing peer is an error.
 */
export async function findPeers<Name extends PeerName>(names: readonly Name[]): Promise<Peers<Name> | string> {
  const peers: Record<string, string> = {}
  try {
    for (const name of names) peers[name] = await buildPeer(name)
  } catch (error) {
    if (!(error instanceof PeerUnavailableError) || process.env['DROVER_REQUIRE_PEERS'] === '1') throw error
    return error.message
  }
  return peers as Peers<Name> // as: the loop filled every name
}

/** Like `describe`, with the executables of the named peers. To be awaited at the top of a test file. */
export async function describeWithPeers<Name extends PeerName>(title: string, names: readonly Name[], suite: (peers: Peers<Name>) => void): Promise<void> {
  const peers = await findPeers(names)
  if (typeof peers === 'string') skipSuite(title, peers)
  else
    describe(title, () => {
      suite(peers)
    })
}

/** Says why a whole suite does not run; it counts as skipped. */
export function skipSuite(title: string, reason: string): void {
  process.stderr.write(`Skipping "${title}": ${reason}\n`)
  describe.skip(`${title} (skipped: ${reason.split('\n')[0]})`, () => {
    it('needs more than this machine has', () => undefined)
  })
}
