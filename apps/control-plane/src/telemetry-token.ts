/** What an agent shows with its own telemetry: it tells who speaks, and only this server can make it. Nothing of it is stored. */
import { timingSafeEqual } from 'node:crypto'
import type { Sealer } from './seams.ts'

const CONTEXT = 'own telemetry'
const MAC_LENGTH = 32
const form = /^drover_tel_(agt_[0-9a-z]{1,40})_([0-9a-f]{32})$/

/** The same for ever for one agent under one server secret. */
export function telemetryToken(sealer: Pick<Sealer, 'mac'>, agentId: string): string {
  return `drover_tel_${agentId}_${macOf(sealer, agentId)}`
}

/** The agent whose token it is; undefined when it is none of this server's. Whether that agent is still known is another matter. */
export function readTelemetryToken(sealer: Pick<Sealer, 'mac'>, token: string): string | undefined {
  const [, agentId, mac] = form.exec(token) ?? []
  if (agentId === undefined || mac === undefined) return undefined
  return timingSafeEqual(Buffer.from(mac), Buffer.from(macOf(sealer, agentId))) ? agentId : undefined
}

function macOf(sealer: Pick<Sealer, 'mac'>, agentId: string): string {
  return sealer.mac(agentId, CONTEXT).slice(0, MAC_LENGTH)
}
