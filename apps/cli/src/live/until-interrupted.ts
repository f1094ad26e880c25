/** Runs something that goes on until a person ends it with ctrl-c. */
import type { Io } from '../io.ts'

/** The signal is aborted by SIGINT, SIGTERM or SIGHUP; ending by them is success, for it is the only way such a command ends. */
export async function untilInterrupted(io: Pick<Io, 'onSignal'>, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const abort = new AbortController()
  const stopListening = io.onSignal(() => abort.abort())
  try {
    await work(abort.signal)
  } catch (error) {
    if (!abort.signal.aborted) throw error
  } finally {
    stopListening()
  }
}
