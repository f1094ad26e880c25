/** Capability sets against the enums of the schema. */
import { describe, expect, it } from 'vitest'
import { agentCapabilities, serverCapabilities } from './capabilities.ts'
import { AgentCapabilitiesSchema, ServerCapabilitiesSchema } from './gen/opamp/v1/opamp_pb.js'

const allBits = 2n ** 64n - 1n

describe('capability sets', () => {
  it('name each bit as the schema does', () => {
    for (const { number, name } of AgentCapabilitiesSchema.values.slice(1)) {
      expect(
        agentCapabilities(BigInt(number))
          .names()
          .map((short) => `AgentCapabilities_${short}`),
      ).toEqual([name])
    }
    for (const { number, name } of ServerCapabilitiesSchema.values.slice(1)) {
      expect(
        serverCapabilities(BigInt(number))
          .names()
          .map((short) => `ServerCapabilities_${short}`),
      ).toEqual([name])
    }
    expect(agentCapabilities(allBits).names()).toHaveLength(AgentCapabilitiesSchema.values.length - 1)
    expect(serverCapabilities(allBits).names()).toHaveLength(ServerCapabilitiesSchema.values.length - 1)
  })

  it('leave bits that are not defined at 0 [CAP-02] [CAP-09] [IO-02]', () => {
    expect(agentCapabilities(allBits).mask).toBe(0xffffn)
    expect(serverCapabilities(allBits).mask).toBe(0x7fn)
  })

  it('come from names as well as from a mask', () => {
    const set = agentCapabilities(['ReportsHealth', 'ReportsStatus', 'ReportsStatus'])
    expect(set.mask).toBe(0x801n)
    expect(set.names()).toEqual(['ReportsStatus', 'ReportsHealth'])
    expect(set.has('ReportsHealth')).toBe(true)
    expect(set.has('AcceptsPackages')).toBe(false)
  })

  it('are equal when they hold the same, also when bits without meaning differ', () => {
    expect(agentCapabilities(1n).equals(agentCapabilities(1n | (1n << 40n)))).toBe(true)
    expect(agentCapabilities(1n).equals(agentCapabilities(3n))).toBe(false)
  })

  it('stay equal after more masks than are remembered', () => {
    for (let mask = 0n; mask < 1000n; mask++) expect(agentCapabilities(mask).equals(agentCapabilities(mask))).toBe(true)
  })
})
