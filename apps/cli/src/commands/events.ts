/** `drover events`: what happened, and what happens. */
import type { Event } from '@drover/api'
import { clientCommand } from '../command/command.ts'
import type { ClientContext } from '../command/command.ts'
import { flag, integer, text } from '../command/spec.ts'
import { followEvents } from '../live/event-stream.ts'
import { untilInterrupted } from '../live/until-interrupted.ts'
import type { Paint } from '../output/colour.ts'
import { formatTime } from '../output/time.ts'
import { padEnd, printable } from '../output/text.ts'

const defaultLimit = 50
const kindWidth = 22

export const eventsCommand = clientCommand({
  name: 'events',
  description: 'Show what happened, oldest first',
  args: {},
  options: {
    follow: flag('-f, --follow', 'go on with what happens, until ctrl-c'),
    kind: text('--kind <kinds>', 'kinds or their beginnings, comma-separated, e.g. attempt,agent.health'),
    subject: text('--subject <subject>', 'an agent id, or the name of a config, group or token'),
    after: integer('--after <id>', 'start after this event instead of with the newest', { min: 0, max: Number.MAX_SAFE_INTEGER }),
    limit: integer('--limit <count>', `how many of the past (default ${defaultLimit}; 0 for none with --follow)`, { min: 0, max: 500 }),
  },
  examples: [
    { run: 'events --follow --kind attempt', what: 'watch configurations arrive' },
    { run: 'events --after 1042 -o json', what: 'what happened since a script last looked' },
  ],
  async run(context, _args, options) {
    const limit = options.limit ?? defaultLimit
    const past = limit === 0 ? { items: [], nextCursor: null, total: 0 } : await readPast(context, { ...options, limit })
    if (!options.follow) {
      context.output.result(past, () => past.items.map((event) => eventLine(context, event)).join(''))
      return
    }
    for (const event of past.items) context.output.item(event, () => eventLine(context, event))
    const after = past.items.at(-1)?.id ?? options.after
    await untilInterrupted(context.io, (signal) => follow(context, { ...options, after, signal }))
  },
})

interface Past {
  readonly kind: string | undefined
  readonly subject: string | undefined
  readonly after: number | undefined
  readonly limit: number
}

/** Oldest first; without `after` the newest ones. */
async function readPast({ api }: ClientContext, { kind, subject, after, limit }: Past): Promise<{ items: Event[]; nextCursor: string | null; total: number }> {
  const { data } = await api.listEvents({
    query: { limit, ...(kind === undefined ? {} : { kind }), ...(subject === undefined ? {} : { subject }), ...(after === undefined ? {} : { after }) },
  })
  return { ...data, items: data.items.toSorted((a, b) => a.id - b.id) }
}

async function follow(context: ClientContext, options: Omit<Past, 'limit'> & { readonly signal: AbortSignal }): Promise<void> {
  const { connection, output } = context
  const { kind, subject, after, signal } = options
  const note = { onLost: (reason: string) => output.note(`connection lost (${reason}), trying again`), onBack: () => output.note('connected again') }
  for await (const event of followEvents({ connection, kind, subject, after, signal, ...note })) output.item(event, () => eventLine(context, event))
}

function eventLine({ output }: ClientContext, event: Event): string {
  return `${output.paint('dim', formatTime(event.at))}  ${output.paint(paintOf(event.kind), padEnd(event.kind, kindWidth))}  ${printable(event.summary)}\n`
}

function paintOf(kind: Event['kind']): Paint {
  if (/failed|timedOut|refused|duplicate/.test(kind)) return 'bad'
  if (/applied|restored/.test(kind)) return 'good'
  return 'bold'
}
