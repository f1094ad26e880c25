/** Says in one or two sentences why an Agent has, or does not get, a configuration. */
import type { Assignment } from './assignment.ts'
import type { OfferDecision } from './offer.ts'

export function explain(assignment: Assignment, decision: OfferDecision): string {
  const said = decision.kind === 'none' ? decision.reason : decision.explanation
  const given = describeAssignment(assignment)
  // "No group …" is said by both.
  return decision.kind === 'none' && decision.state === 'unmanaged' && assignment.groups.length === 0 ? said : `${given} ${said}`
}

/** Which groups give what: `base@3 (group all) and debug@1 (group canary)`. */
export function describeRefs(assignment: Assignment): string {
  return joinWords(assignment.refs.map(({ group, config, version }) => `${config}@${version} (group ${group})`))
}

function describeAssignment(assignment: Assignment): string {
  const { groups, refs } = assignment
  if (groups.length === 0) return 'No group selects this agent.'
  if (refs.length === 0)
    return `${groups.length === 1 ? 'The group' : 'The groups'} ${joinWords(groups)} ${groups.length === 1 ? 'selects this agent but has' : 'select this agent but have'} no configs.`
  const order = refs.length > 1 ? ', of which a later one wins over an earlier one' : ''
  return `It should have ${describeRefs(assignment)}${order}.`
}

function joinWords(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1) ?? ''}`
}
