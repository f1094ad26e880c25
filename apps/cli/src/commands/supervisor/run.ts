/** `drover supervisor --config F`: supervises until a signal ends it. */
import { setFlagsFromString } from 'node:v8'
import type { LoadedConfig } from '@drover/supervisor'
import { groupAction } from '../../command/command.ts'
import { CliError } from '../../errors.ts'
import type { Io } from '../../io.ts'
import { drain, untilAskedToEnd } from '../../live/until-asked-to-end.ts'
import { painterFor } from '../../output/colour.ts'
import { configOption, findingLine, requireConfig, summaryOf } from './config-option.ts'

/** On top of what the agent may take to end. */
const drainSlackMs = 20_000

export const runAction = groupAction({
  options: { config: configOption },
  examples: [
    { run: 'supervisor --config /etc/drover/supervisor.yaml', what: 'with the file that the stock supervisor had' },
    { run: 'supervisor check --config supervisor.yaml', what: 'what that would do' },
    { run: 'supervisor status', what: 'how the one that runs here is' },
  ],
  async run(io, _args, { config }) {
    keepSmall()
    const loaded = await load(io, requireConfig(config))
    const { startSupervisor } = await import('@drover/supervisor')
    // Before the start, so that a signal during it ends the supervisor in order as well.
    const asked = untilAskedToEnd(io)
    const abort = new AbortController()
    void asked.then(() => abort.abort())
    // Between two attempts to connect, with an agent that waits for its next start, nothing else holds the process.
    const alive = setInterval(() => undefined, 2 ** 30)
    try {
      const supervisor = await startSupervisor(loaded, { env: io.env, signal: abort.signal })
      await drain(io, await asked, () => supervisor.stop(), loaded.config.drover.stopTimeoutMs + drainSlackMs)
    } catch (error) {
      // A start that was asked to end has done what it was told.
      if (!abort.signal.aborted) throw error
    } finally {
      clearInterval(alive)
    }
  },
})

/**
 * A supervisor has little to do and runs on every host: its engine interprets instead of compiling for speed, collects in its own thread, and keeps its
 * young generation small. That is 12 MB of 95 less. Before anything of the supervisor is loaded: what is compiled stays compiled.
 */
function keepSmall(): void {
  for (const flag of ['--no-opt', '--no-maglev', '--no-sparkplug', '--single-threaded', '--max-semi-space-size=1', '--semi-space-growth-factor=1']) {
    setFlagsFromString(flag)
  }
}

async function load(io: Io, file: string): Promise<LoadedConfig> {
  const { SupervisorConfigError, loadSupervisorConfig } = await import('@drover/supervisor')
  const paint = painterFor(io.stderr, io.env)
  try {
    const loaded = loadSupervisorConfig(file, io.env)
    for (const finding of loaded.notes) io.stderr.write(findingLine(file, finding, paint))
    return loaded
  } catch (error) {
    if (!(error instanceof SupervisorConfigError)) throw error
    for (const finding of error.findings) io.stderr.write(findingLine(file, finding, paint))
    throw new CliError(summaryOf(file, error.findings), { cause: error })
  }
}
