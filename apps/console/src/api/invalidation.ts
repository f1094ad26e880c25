/** Which cached answers an event makes stale. Pure: one table by kind. */
import type { Event, EventKind } from '@drover/api'

/** A prefix of query keys, e.g. `['agent', 'agt_1']`. */
export type KeyPrefix = readonly string[]

const agents: KeyPrefix = ['agents', 'list']
const counts: KeyPrefix = ['agents', 'counts']
const attributes: KeyPrefix = ['agents', 'attributes']
const groups: KeyPrefix = ['groups']
const configs: KeyPrefix = ['configs']
const failed: KeyPrefix = ['agents', 'failed']
const tokens: KeyPrefix = ['tokens']
const status: KeyPrefix = ['status']
const rollouts: KeyPrefix = ['rollouts']
const secrets: KeyPrefix = ['secrets']
const webhooks: KeyPrefix = ['webhooks']

const fleet = [agents, counts, groups, status]
const attempt = [agents, counts, groups, failed]
// Revisions reach agents by what a rollout decides, so the pages of agents show something else afterwards.
const decided = [rollouts, groups, agents, counts, failed, ['agent']]

/** Total, so that a new kind of event cannot be forgotten here. */
const keysByKind: Readonly<Record<EventKind, readonly KeyPrefix[]>> = {
  'agent.connected': [...fleet, tokens],
  'agent.disconnected': [...fleet, tokens],
  'agent.enrolled': [...fleet, attributes, tokens],
  'agent.changed': [agents, counts, groups, attributes],
  'agent.health': [agents, counts, groups],
  'agent.renamed': [agents],
  'agent.duplicate': [agents],
  'agent.forgotten': [...fleet, failed, attributes],
  'agent.labelled': [agents, counts, groups, attributes],
  'agent.restartRequested': [],
  'attempt.offered': attempt,
  'attempt.applying': attempt,
  'attempt.applied': attempt,
  'attempt.failed': attempt,
  'attempt.timedOut': attempt,
  'attempt.restored': attempt,
  'attempt.retried': attempt,
  'config.created': [configs, status],
  'config.versioned': [configs],
  'config.deleted': [configs, status],
  // What members should have changes with the group, so every agent page that is open is stale.
  'group.created': [groups, configs, status, agents, counts, failed, ['agent']],
  'group.changed': [groups, configs, agents, counts, failed, ['agent']],
  'group.deleted': [groups, configs, status, agents, counts, failed, ['agent']],
  'rollout.created': [rollouts, groups],
  'rollout.started': decided,
  'rollout.approved': [rollouts],
  'rollout.waiting': [rollouts],
  'rollout.waveOpened': decided,
  'rollout.soaking': [rollouts],
  'rollout.wavePassed': [rollouts],
  'rollout.trouble': [rollouts],
  'rollout.paused': [rollouts, groups],
  'rollout.resumed': [rollouts, groups],
  'rollout.promoted': [rollouts],
  'rollout.retrying': decided,
  'rollout.stopped': [rollouts, groups],
  'rollout.rollingBack': decided,
  'rollout.rolledBack': decided,
  'rollout.completed': decided,
  'rollout.superseded': decided,
  'rollout.deleted': [rollouts, groups],
  'secret.set': [secrets],
  'secret.deleted': [secrets],
  'webhook.created': [webhooks],
  'webhook.changed': [webhooks],
  'webhook.deleted': [webhooks],
  'webhook.givenUp': [webhooks],
  'token.created': [tokens],
  'token.revoked': [tokens],
  'session.created': [],
  'access.refused': [],
  'server.started': [status],
  'server.stopping': [],
}

export function staleKeys(event: Pick<Event, 'kind' | 'subject'>): readonly KeyPrefix[] {
  // A newer server may know kinds that this page does not: those make nothing stale.
  const keys = (keysByKind as Readonly<Partial<Record<string, readonly KeyPrefix[]>>>)[event.kind] ?? []
  const aboutAgent = event.kind.startsWith('agent.') || event.kind.startsWith('attempt.')
  return aboutAgent ? [...keys, ['agent', event.subject]] : keys
}

/** The distinct keys of a burst of events; a key that a shorter one covers is left out. */
export function staleKeysOf(events: readonly Pick<Event, 'kind' | 'subject'>[]): readonly KeyPrefix[] {
  const distinct = new Map<string, KeyPrefix>()
  for (const event of events) for (const key of staleKeys(event)) distinct.set(key.join('\u0000'), key)
  return [...distinct.values()].filter((key) => !key.some((_, length) => length > 0 && distinct.has(key.slice(0, length).join('\u0000'))))
}

/** Does a filter as the events API takes it (`attempt,agent.health`) let this kind pass? */
export function kindMatches(filter: string | undefined, kind: string): boolean {
  if (filter === undefined || filter === '') return true
  return filter.split(',').some((part) => kind === part || kind.startsWith(`${part}.`))
}
