/** Suites that need real peers: they are built first; where they cannot be had the suite says so and skips. */
import { describe } from 'vitest'
import { PeerUnavailableError, buildPeer } from './build.ts'
import type { PeerName } from './build.ts'

export type { PeerName } from './build.ts'

export type Peers<Name extends PeerName> = { readonly [N in Name]: string }

/**
 * Like `describe`, with the executables of the named peers. To be awaited at the top of a test file.
 * With DROVER_REQUIRE_PEERS=1 a missing peer is a failure instead of a skip.
 */
export async function describeWithPeers<Name extends PeerName>(title: string, names: readonly Name[], suite: (peers: Peers<Name>) => void): Promise<void> {
  const peers: Record<string, string> = {}
  try {
    for (const name of names) peers[name] = await buildPeer(name)
  } catch (error) {
    if (!(error instanceof PeerUnavailableError) || process.env['DROVER_REQUIRE_PEERS'] === '1') throw error
    process.stderr.write(`Skipping "${title}": ${error.message}\n`)
    describe.skip(`${title} (skipped: ${error.message.split('\n')[0]})`, () => {
      suite(peers as Peers<Name>)
    })
    return
  }
  describe(title, () => {
    suite(peers as Peers<Name>) // as: the loop above filled every name
  })
}
