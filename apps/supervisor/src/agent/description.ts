/** What the supervisor's file says of the agent, over what the agent says of itself. */
import { create } from '@bufbuild/protobuf'
import { AgentDescriptionSchema, keyValues } from '@drover/protocol'
import type { AgentDescription, KeyValue } from '@drover/protocol'
import type { AgentSettings } from '../config/supervisor-config.ts'

/** Each key once, in order. */
export function describeAgent(reported: AgentDescription, overrides: AgentSettings['description']): AgentDescription {
  return create(AgentDescriptionSchema, {
    identifyingAttributes: override(reported.identifyingAttributes, overrides.identifyingAttributes),
    nonIdentifyingAttributes: override(reported.nonIdentifyingAttributes, overrides.nonIdentifyingAttributes),
  })
}

function override(reported: readonly KeyValue[], overrides: Readonly<Record<string, string>>): KeyValue[] {
  const byKey = new Map([...reported, ...keyValues(overrides)].map((attribute) => [attribute.key, attribute]))
  return [...byKey.values()].toSorted((a, b) => (a.key < b.key ? -1 : 1))
}

/** The attribute's text; `undefined` when it is missing or no text. */
export function textAttribute(attributes: readonly KeyValue[], key: string): string | undefined {
  const content = attributes.findLast((attribute) => attribute.key === key)?.value?.value
  return content?.case === 'stringValue' ? content.value : undefined
}
