/** `drover webhooks`: events as signed HTTP calls to other programs. */
import type { Webhook, WebhookDelivery } from '@drover/api'
import { clientCommand } from '../command/command.ts'
import type { CommandGroup } from '../command/command.ts'
import { argument, flag, integer, text } from '../command/spec.ts'
import { CliError, UsageError } from '../errors.ts'
import { readPages } from '../live/pages.ts'
import type { Column } from '../output/table.ts'
import { formatAgo } from '../output/time.ts'
import { confirm, yesOption } from './confirm.ts'

const nameArgument = argument('name of the webhook')
const eventsOption = { events: text('--events <kinds>', 'kinds or their beginnings, comma-separated, e.g. rollout,attempt.failed') } as const

const list = clientCommand({
  name: 'list',
  description: 'List webhooks and how the last call went',
  args: {},
  options: {},
  examples: [{ run: 'webhooks list', what: 'who is told of what' }],
  async run({ api, io, output }) {
    const page = await readPages(0, (query) => api.listWebhooks({ query }))
    output.result(page, () => (page.items.length === 0 ? '' : output.table(columns(io.now()), page.items)))
    if (page.items.length === 0) output.note('There are no webhooks. Make one with: drover webhooks create NAME --to URL --events rollout')
  },
})

const columns = (now: number): readonly Column<Webhook>[] => [
  { title: 'NAME', value: ({ name }) => name },
  { title: 'URL', value: ({ url }) => url, flexible: true },
  { title: 'EVENTS', value: ({ events }) => events.join(' '), flexible: true },
  { title: 'ENABLED', value: ({ enabled }) => (enabled ? 'yes' : 'no') },
  { title: 'PENDING', value: ({ pending }) => String(pending), align: 'right' },
  {
    title: 'LAST',
    value: ({ lastDelivery }) =>
      lastDelivery === null ? 'never' : `${lastDelivery.delivered ? 'delivered' : `failed: ${lastDelivery.detail}`}, ${formatAgo(lastDelivery.at, now)}`,
    flexible: true,
    paint: ({ lastDelivery }) => (lastDelivery === null ? undefined : lastDelivery.delivered ? 'good' : 'bad'),
  },
]

const create = clientCommand({
  name: 'create',
  description: 'Create a webhook; its signing secret is shown this once',
  args: { name: nameArgument },
  options: { to: text('--to <url>', 'https address to call'), ...eventsOption },
  examples: [{ run: 'webhooks create pager --to https://hooks.example.com/drover --events rollout.paused,rollout.rolledBack', what: 'who has to know' }],
  async run({ api, output }, args, { to: url, events }) {
    if (url === undefined || events === undefined) throw new UsageError('give --to and --events')
    const { data } = await api.createWebhook({ body: { name: args.name, url, events: splitKinds(events) }, idempotencyKey: crypto.randomUUID() })
    output.result(data, () => `${data.secret}\n`)
    output.note(`Webhook "${data.name}". Keep its signing secret now; it is not shown again. Try it with: drover webhooks test ${data.name}`)
  },
})

const splitKinds = (given: string) =>
  given
    .split(',')
    .map((kind) => kind.trim())
    .filter((kind) => kind !== '')

const set = clientCommand({
  name: 'set',
  description: 'Change a webhook; what is not given stays',
  args: { name: nameArgument },
  options: {
    to: text('--to <url>', 'https address to call'),
    ...eventsOption,
    enable: flag('--enable', 'call it again'),
    disable: flag('--disable', 'call it no more for now'),
  },
  examples: [{ run: 'webhooks set pager --disable', what: 'for a while' }],
  async run({ api, output }, args, { to: url, events, enable, disable }) {
    if (enable && disable) throw new UsageError('give either --enable or --disable')
    const params = { name: args.name }
    const page = await readPages(0, (query) => api.listWebhooks({ query }))
    const before = page.items.find(({ name }) => name === args.name)
    if (before === undefined) throw new CliError(`there is no webhook "${args.name}"; drover webhooks list shows them`)
    const body = { url: url ?? before.url, events: events === undefined ? before.events : splitKinds(events), enabled: enable || (!disable && before.enabled) }
    const { data } = await api.setWebhook({ params, body })
    output.result(data, () => `${data.name}\n`)
  },
})

const test = clientCommand({
  name: 'test',
  description: 'Call a webhook now with a test event; exit code 1 when it is not taken',
  args: { name: nameArgument },
  options: {},
  examples: [{ run: 'webhooks test pager', what: 'what comes back' }],
  async run({ api, output }, args) {
    const { data } = await api.testWebhook({ params: { name: args.name } })
    output.result(data, () => `${data.delivered ? 'delivered' : 'not delivered'}${data.status === null ? '' : `, HTTP ${data.status}`}\n`)
    if (!data.delivered) throw new CliError(data.detail)
  },
})

const deliveries = clientCommand({
  name: 'deliveries',
  description: 'What was sent, newest first; or send one again',
  args: { name: nameArgument },
  options: {
    again: integer('--again <id>', 'send this delivery once more', { min: 1, max: Number.MAX_SAFE_INTEGER }),
    limit: integer('--limit <count>', 'at most so many (default 50; 0 for all)', { min: 0, max: 1_000_000 }),
  },
  examples: [{ run: 'webhooks deliveries pager', what: 'what became of each call' }],
  async run({ api, io, output }, args, { again, limit = 50 }) {
    const params = { name: args.name }
    if (again !== undefined) {
      const { data } = await api.redeliver({ params: { ...params, deliveryId: again } })
      output.result(data, () => `${data.id} ${data.state}\n`)
      return
    }
    const page = await readPages(limit, (query) => api.listWebhookDeliveries({ params, query }))
    output.result(page, () => (page.items.length === 0 ? '' : output.table(deliveryColumns(io.now()), page.items)))
    if (page.items.length === 0) output.note('Nothing was sent yet.')
  },
})

const deliveryColumns = (now: number): readonly Column<WebhookDelivery>[] => [
  { title: 'ID', value: ({ id }) => String(id), align: 'right' },
  { title: 'EVENT', value: ({ eventId, eventKind }) => `${eventId} ${eventKind}` },
  { title: 'STATE', value: ({ state }) => state, paint: ({ state }) => (state === 'delivered' ? 'good' : state === 'givenUp' ? 'bad' : 'busy') },
  { title: 'TRIES', value: ({ tries }) => String(tries), align: 'right' },
  { title: 'HTTP', value: ({ status }) => (status === null ? '' : String(status)), align: 'right' },
  { title: 'CREATED', value: ({ createdAt }) => formatAgo(createdAt, now) },
  { title: 'NEXT TRY', value: ({ nextTryAt }) => (nextTryAt === null ? '' : formatAgo(nextTryAt, now)) },
  { title: 'DETAIL', value: ({ detail }) => detail, flexible: true },
]

const remove = clientCommand({
  name: 'delete',
  description: 'Delete a webhook with its log',
  args: { name: nameArgument },
  options: yesOption,
  examples: [{ run: 'webhooks delete pager --yes', what: 'without being asked' }],
  async run({ api, io, output }, args, options) {
    await confirm(io, `Delete webhook "${args.name}"?`, options)
    await api.deleteWebhook({ params: { name: args.name } })
    output.note(`Webhook "${args.name}" is deleted.`)
  },
})

export const webhooksCommands: CommandGroup = {
  kind: 'group',
  name: 'webhooks',
  description: 'Webhooks: events as signed calls to other programs',
  commands: [list, create, set, test, deliveries, remove],
}
