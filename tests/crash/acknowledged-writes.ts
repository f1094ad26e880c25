/** Writers that remember what the server acknowledged, and the check that all of it is still there. */
import { ApiError, ApiUnreachableError } from '@drover/api'
import type { Config, Group } from '@drover/api'
import type { Server } from '../harness/index.ts'

/** What the server said "done" to; the newest of each. */
export class Acknowledged {
  /** Config name to its versions' content hashes, in order. */
  readonly configs = new Map<string, string[]>()
  /** Group name to what it was last set to. */
  readonly groups = new Map<
    string,
    { readonly selector: string; readonly configs: readonly { config: string; version: number }[]; readonly revision: number }
  >()
  /** Agent id to its labels. */
  readonly labels = new Map<string, Readonly<Record<string, string>>>()
  /** API tokens, by value. */
  readonly tokens = new Map<string, string>()
  readonly revoked = new Map<string, string>()
  /** A create that was acknowledged, to be repeated with the same key. */
  lastCreate: { readonly key: string; readonly name: string; readonly body: string } | undefined
  total = 0
}

const configBody = (note: string) =>
  `# ${note}\nreceivers:\n  nop: {}\nexporters:\n  nop: {}\nservice:\n  pipelines:\n    logs:\n      receivers: [nop]\n      exporters: [nop]\n`

export interface WriterOptions {
  readonly server: Server
  readonly acknowledged: Acknowledged
  /** Makes names unique over all runs. */
  readonly run: number
  /** Called after each acknowledged write. */
  readonly onWrite: () => void
}

/** Writes until the server is gone; other errors are errors. */
export async function writeUntilGone(options: WriterOptions): Promise<void> {
  const writers = [writeConfigs(options), writeGroups(options), writeLabels(options), writeTokens(options)]
  await Promise.all(writers.map((writer) => writer.catch(ignoreGone)))
}

function ignoreGone(error: unknown): void {
  if (!(error instanceof ApiUnreachableError)) throw error
}

function done({ acknowledged, onWrite }: WriterOptions): void {
  acknowledged.total += 1
  onWrite()
}

async function writeConfigs(options: WriterOptions): Promise<void> {
  const { server, acknowledged, run } = options
  for (let count = 0; ; count++) {
    const name = `config-${run}-${count}`
    const body = configBody(name)
    const key = `create-${name}`
    const created = await server.api.createConfig({ body: { name, files: [{ name: 'main.yaml', body }] }, idempotencyKey: key })
    acknowledged.configs.set(name, [created.data.latest.hash])
    acknowledged.lastCreate = { key, name, body }
    done(options)
    const added = await server.api.createVersion({
      params: { name },
      body: { files: [{ name: 'main.yaml', body: configBody(`${name} again`) }] },
      ...(created.etag === null ? {} : { ifMatch: created.etag }),
    })
    acknowledged.configs.get(name)?.push(added.data.hash)
    done(options)
  }
}

async function writeGroups(options: WriterOptions): Promise<void> {
  const { server, acknowledged, run } = options
  const name = `group-${run}`
  const remember = ({ selector, revision }: Group) => {
    acknowledged.groups.set(name, { selector, configs: revision.configs, revision: revision.number })
    done(options)
  }
  let { data, etag } = await server.api.createGroup({ body: { name, selector: `label.run = "${run}"`, rollout: { preset: 'everyone' } } })
  remember(data)
  for (let count = 0; ; count++) {
    const newest = [...acknowledged.configs].at(-1)
    const configs = newest === undefined ? [] : [{ config: newest[0], version: newest[1].length }]
    const call = { params: { name }, body: { selector: `label.run in ("${run}", "none-${count}")`, configs, rollout: { preset: 'everyone' as const } } }
    ;({ data, etag } = await server.api.setGroup({ ...call, ...(etag === null ? {} : { ifMatch: etag }) }))
    remember(data)
  }
}

async function writeLabels(options: WriterOptions): Promise<void> {
  const { server, acknowledged, run } = options
  const { items } = (await server.api.listAgents({ query: { limit: 500 } })).data
  for (let count = 0; ; count++) {
    const agent = items[count % Math.max(1, items.length)]
    if (agent === undefined) return
    const labels = { run: String(run), count: String(count) }
    if (await setLabels(server, agent.id, labels)) {
      acknowledged.labels.set(agent.id, labels)
      done(options)
    }
  }
}

/** false: the agent changed meanwhile. */
async function setLabels(server: Server, agentId: string, labels: Record<string, string>): Promise<boolean> {
  const { etag } = await server.api.getAgent({ params: { agentId } })
  try {
    await server.api.setLabels({ params: { agentId }, body: { labels }, ...(etag === null ? {} : { ifMatch: etag }) })
    return true
  } catch (error) {
    if (error instanceof ApiError && error.problem.code === 'version-conflict') return false
    throw error
  }
}

async function writeTokens(options: WriterOptions): Promise<void> {
  const { server, acknowledged, run } = options
  for (let count = 0; ; count++) {
    const { data } = await server.api.createApiToken({ body: { name: `token-${run}-${count}` } })
    acknowledged.tokens.set(data.token, data.id)
    done(options)
    if (count % 2 === 0) continue
    acknowledged.tokens.delete(data.token)
    await server.api.revokeApiToken({ params: { id: data.id } })
    acknowledged.revoked.set(data.token, data.id)
    done(options)
  }
}

/** Everything that was acknowledged and is not there, as sentences. */
export async function findMissing(server: Server, acknowledged: Acknowledged): Promise<readonly string[]> {
  return [
    ...(await missingConfigs(server, acknowledged)),
    ...(await missingGroups(server, acknowledged)),
    ...(await missingLabels(server, acknowledged)),
    ...(await missingTokens(server, acknowledged)),
  ]
}

async function allConfigs(server: Server): Promise<ReadonlyMap<string, Config>> {
  const found = new Map<string, Config>()
  for (let cursor: string | undefined; ; ) {
    const { data } = await server.api.listConfigs({ query: { limit: 500, ...(cursor === undefined ? {} : { cursor }) } })
    for (const config of data.items) found.set(config.name, config)
    if (data.nextCursor === null) return found
    cursor = data.nextCursor
  }
}

async function missingConfigs(server: Server, acknowledged: Acknowledged): Promise<readonly string[]> {
  const found = await allConfigs(server)
  const missing: string[] = []
  for (const [name, hashes] of acknowledged.configs) {
    const latest = found.get(name)?.latest
    if (latest === undefined || latest.version < hashes.length)
      missing.push(`config ${name}: ${hashes.length} versions were acknowledged, ${latest?.version ?? 0} are there`)
    else if (latest.version === hashes.length && latest.hash !== hashes.at(-1)) missing.push(`config ${name}: version ${latest.version} has other content`)
  }
  const { lastCreate } = acknowledged
  if (lastCreate !== undefined) {
    const again = await server.api
      .createConfig({ body: { name: lastCreate.name, files: [{ name: 'main.yaml', body: lastCreate.body }] }, idempotencyKey: lastCreate.key })
      .catch((error: Error) => error)
    if (again instanceof Error) missing.push(`config ${lastCreate.name}: repeating its creation with the same key failed: ${again.message}`)
  }
  return missing
}

async function missingGroups(server: Server, acknowledged: Acknowledged): Promise<readonly string[]> {
  const missing: string[] = []
  for (const [name, was] of acknowledged.groups) {
    const group = await server.api.getGroup({ params: { name } }).then(
      ({ data }) => data,
      () => undefined,
    )
    if (group === undefined || group.revision.number < was.revision)
      missing.push(`group ${name}: revision ${was.revision} was acknowledged, ${group?.revision.number ?? 'nothing'} is there`)
  }
  return missing
}

/** Labels of a later run, or later in the same run, are higher. */
const order = (labels: Readonly<Record<string, string>>) => Number(labels['run']) * 1_000_000 + Number(labels['count'])

async function missingLabels(server: Server, acknowledged: Acknowledged): Promise<readonly string[]> {
  const missing: string[] = []
  for (const [agentId, labels] of acknowledged.labels) {
    const { data } = await server.api.getAgent({ params: { agentId } })
    // a later write may have been carried out without its answer arriving
    const isLater = order(data.labels) >= order(labels)
    if (!isLater) missing.push(`labels of ${agentId}: ${JSON.stringify(labels)} were acknowledged, ${JSON.stringify(data.labels)} are there`)
  }
  return missing
}

async function missingTokens(server: Server, acknowledged: Acknowledged): Promise<readonly string[]> {
  const states = new Map<string, string>()
  for (let cursor: string | undefined; ; ) {
    const { data } = await server.api.listApiTokens({ query: { limit: 500, ...(cursor === undefined ? {} : { cursor }) } })
    for (const token of data.items) states.set(token.id, token.state)
    if (data.nextCursor === null) break
    cursor = data.nextCursor
  }
  const active = [...acknowledged.tokens.values()]
    .filter((id) => states.get(id) !== 'active')
    .map((id) => `API token ${id} was created and is ${states.get(id) ?? 'gone'}`)
  const revoked = [...acknowledged.revoked.values()]
    .filter((id) => states.get(id) !== 'revoked')
    .map((id) => `API token ${id} was revoked and is ${states.get(id) ?? 'gone'}`)
  return [...active, ...revoked]
}
