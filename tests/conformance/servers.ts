/** The servers that the client is tried against: always the raw one, and opamp-go's where it can be built. */
import { describe } from 'vitest'
import { findPeers, skipSuite } from '../peers/index.ts'
import { transports } from './agent-values.ts'
import type { Transport } from './agent-values.ts'
import { GoServer } from './go-server.ts'
import { RawServer } from './raw-server.ts'
import type { ListenOptions, ScriptedServer } from './scripted-server.ts'

/** Starts a new server. */
export type StartServer = (options?: ListenOptions) => Promise<ScriptedServer>

/** One suite for each server and transport. To be awaited at the top of a test file. */
export async function describeWithServers(title: string, suite: (start: StartServer, transport: Transport) => void): Promise<void> {
  for (const transport of transports) {
    describe(`${title}, with a raw server over ${transport}`, () => {
      suite((options) => RawServer.start(options), transport)
    })
  }
  const peers = await findPeers(['opamp-server'])
  if (typeof peers === 'string') skipSuite(`${title}, with opamp-go's server`, peers)
  else
    for (const transport of transports) {
      describe(`${title}, with opamp-go's server over ${transport}`, () => {
        suite((options) => GoServer.start(peers['opamp-server'], options), transport)
      })
    }
}
