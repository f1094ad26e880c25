/** What a supervisor counts of itself. Process metrics are named by the OpenTelemetry conventions. */
import process from 'node:process'
import type { Metric } from './otlp.ts'

export interface SelfMetrics {
  /** Starts of the agent after the first. */
  restarts: number
  readonly applies: Record<'applying' | 'applied' | 'failed', number>
  isConnected: boolean
  isAgentHealthy: boolean
  collect(): readonly Metric[]
}

export function createSelfMetrics(): SelfMetrics {
  return {
    restarts: 0,
    applies: { applying: 0, applied: 0, failed: 0 },
    isConnected: false,
    isAgentHealthy: false,
    collect() {
      const { user, system } = process.cpuUsage()
      return [
        {
          name: 'process.memory.usage',
          unit: 'By',
          description: 'Physical memory in use',
          kind: 'sum',
          isInteger: true,
          points: [{ value: process.memoryUsage.rss() }],
        },
        {
          name: 'process.cpu.time',
          unit: 's',
          description: 'CPU time used',
          kind: 'counter',
          isInteger: false,
          points: [
            { value: user / 1e6, attributes: { 'cpu.mode': 'user' } },
            { value: system / 1e6, attributes: { 'cpu.mode': 'system' } },
          ],
        },
        { name: 'process.uptime', unit: 's', description: 'Time since the start', kind: 'gauge', isInteger: false, points: [{ value: process.uptime() }] },
        // Named as the stock supervisor does.
        flag('supervisor.agent.health_status', 'Whether the agent is healthy', this.isAgentHealthy),
        flag('drover.supervisor.connected', 'Whether the Server is connected', this.isConnected),
        counter('drover.supervisor.agent.restarts', '{restart}', 'Starts of the agent after the first', [{ value: this.restarts }]),
        counter(
          'drover.supervisor.config.statuses',
          '{status}',
          'Statuses reported of offered configurations',
          Object.entries(this.applies).map(([status, value]) => ({ value, attributes: { status } })),
        ),
      ]
    },
  }
}

function flag(name: string, description: string, isSet: boolean): Metric {
  return { name, unit: '1', description, kind: 'sum', isInteger: true, points: [{ value: isSet ? 1 : 0 }] }
}

function counter(name: string, unit: string, description: string, points: Metric['points']): Metric {
  return { name, unit, description, kind: 'counter', isInteger: true, points }
}
