/** The line that a supervisor answers with, and what is made of it. */
import type { SupervisorStatus } from './status.ts'

const marker = 'drover-supervisor'
const version = 1
export const maxReplyBytes = 1 << 20

export type Reply = { readonly kind: 'running'; readonly pid: number; readonly status: SupervisorStatus } | { readonly kind: 'starting'; readonly pid: number }

export function formatReply(pid: number, status: SupervisorStatus | undefined): string {
  return `${JSON.stringify({ [marker]: version, pid, ...(status === undefined ? {} : { status }) })}\n`
}

/** `undefined`: no supervisor answered, or one of a version that says it otherwise. */
export function parseReply(line: string): Reply | undefined {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return undefined
  }
  if (!isRecord(value) || value[marker] !== version || typeof value['pid'] !== 'number') return undefined
  const { pid, status } = value
  if (status === undefined) return { kind: 'starting', pid }
  return isStatus(status) ? { kind: 'running', pid, status } : undefined
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

/** What readers rely on; the rest may be absent. */
function isStatus(value: unknown): value is SupervisorStatus {
  if (!isRecord(value)) return false
  const { connection, config, agent, versions } = value
  const hasTexts = ['startedAt', 'instanceUid', 'storageDirectory'].every((name) => typeof value[name] === 'string')
  if (!hasTexts || !isRecord(versions)) return false
  if (!isRecord(connection) || typeof connection['state'] !== 'string' || typeof connection['endpoint'] !== 'string') return false
  return (
    isRecord(config) && typeof config['state'] === 'string' && isRecord(agent) && typeof agent['restarts'] === 'number' && Array.isArray(agent['unhealthy'])
  )
}
