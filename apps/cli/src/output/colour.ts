/** Colours, when the stream is a terminal and nobody asked to do without. */
import { styleText } from 'node:util'
import type { Io, OutputStream } from '../io.ts'

export type Paint = 'good' | 'bad' | 'busy' | 'dim' | 'bold'

const styles = { good: 'green', bad: 'red', busy: 'yellow', dim: 'dim', bold: 'bold' } as const

export type Painter = (paint: Paint, text: string) => string

const plain: Painter = (_, text) => text
const coloured: Painter = (paint, text) => styleText(styles[paint], text, { validateStream: false })

/** See https://no-color.org: any value of NO_COLOR but the empty one switches colours off. */
export function painterFor(stream: OutputStream, env: Io['env']): Painter {
  const refused = (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb'
  return stream.isTerminal && !refused ? coloured : plain
}
