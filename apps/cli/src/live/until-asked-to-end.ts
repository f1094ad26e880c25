/** How a program that runs until a signal ends. */
import type { Io } from '../io.ts'

/** A drain that takes longer is cut short. */
const drainLimitMs = 30_000
/** A ctrl-c can arrive through the terminal, npm and the launcher at once; what comes this soon after the first is the same one. */
const sameSignalMs = 500

/** Resolves at the first signal; a second one ends the process at once. */
export function untilAskedToEnd(io: Pick<Io, 'now' | 'onSignal'>): Promise<string> {
  return new Promise((resolve) => {
    let firstAt: number | undefined
    io.onSignal((name) => {
      const now = io.now()
      if (firstAt === undefined) resolve(name)
      else if (now - firstAt > sameSignalMs) process.exit(1)
      firstAt ??= now
    })
  })
}

/** Says that it ends, and sees to it that it does. */
export async function drain(io: Pick<Io, 'stderr'>, signal: string, stop: () => Promise<void>, limitMs = drainLimitMs): Promise<void> {
  io.stderr.write(`${signal}: finishing what is under way (a second ctrl-c ends at once)\n`)
  const limit = setTimeout(() => {
    io.stderr.write(`not drained after ${limitMs / 1000} s, ending anyway\n`)
    process.exit(1)
  }, limitMs)
  await stop()
  // The process ends by itself now. Should something hold it, the limit still ends it.
  limit.unref()
}
