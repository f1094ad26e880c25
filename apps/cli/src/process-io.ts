/** The `Io` of a real process. */
import { once } from 'node:events'
import { createInterface } from 'node:readline/promises'
import type { Io, OutputStream } from './io.ts'

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

export function processIo(): Io {
  // A reader that has seen enough (`| head`) is no failure.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(0)
      throw error
    })
  }
  return {
    stdout: outputStream(process.stdout),
    stderr: outputStream(process.stderr),
    env: process.env,
    cwd: process.cwd(),
    canAsk: process.stdin.isTTY && process.stderr.isTTY,
    readStdin,
    ask,
    now: () => Date.now(),
    onSignal(handler) {
      for (const signal of signals) process.on(signal, handler)
      return () => {
        for (const signal of signals) process.off(signal, handler)
      }
    },
  }
}

function outputStream(stream: NodeJS.WriteStream): OutputStream {
  return {
    isTerminal: stream.isTTY,
    get columns() {
      return stream.isTTY ? stream.columns : undefined
    },
    write: (text) => void stream.write(text),
  }
}

async function readStdin(): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer) // as: no encoding is set, so chunks are buffers
  return Buffer.concat(chunks).toString('utf8')
}

async function ask(question: string): Promise<string> {
  const reader = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return await Promise.race([reader.question(question), once(reader, 'close').then(() => '')])
  } finally {
    reader.close()
  }
}
