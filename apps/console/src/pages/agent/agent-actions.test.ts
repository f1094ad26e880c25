/** Which action fits which state. */
import { expect, it } from 'vitest'
import { actionReasons } from './agent-actions.ts'

const agent = { connected: true, capabilities: ['AcceptsRestartCommand'], configState: 'failed' } as const
const facts = (part: Partial<Parameters<typeof actionReasons>[0]> = {}) => ({ ...agent, capabilities: [...agent.capabilities], ...part })

it('lets a connected agent that failed be restarted and retried, but not forgotten', () => {
  expect(Object.keys(actionReasons(facts(), undefined))).toEqual(['forget'])
})

it('lets a disconnected agent be forgotten, but not restarted', () => {
  expect(Object.keys(actionReasons(facts({ connected: false }), undefined))).toEqual(['restart'])
})

it('restarts only agents that take the command', () => {
  expect(actionReasons(facts({ capabilities: [] }), undefined).restart).toMatch(/does not accept/)
})

it('retries what failed, was held back or was not answered, and says why otherwise', () => {
  for (const configState of ['failed', 'restored', 'timedOut'] as const) expect(actionReasons(facts({ configState }), undefined).retry).toBeUndefined()
  for (const configState of ['applied', 'applying', 'offered', 'pending', 'unmanaged', 'notAccepted'] as const)
    expect(actionReasons(facts({ configState }), undefined).retry).toBeTruthy()
})

it('gives a read-only session one reason for everything', () => {
  expect(actionReasons(facts(), 'only reads')).toEqual({ restart: 'only reads', retry: 'only reads', forget: 'only reads' })
})
