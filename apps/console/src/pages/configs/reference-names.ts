/** The names that `${drover:…}` can have, from what agents report and what groups and secrets there are. Pure. */
import type { Group, Secret } from '@drover/api'
import type { ReferenceNames } from '../../ui/editor/references.ts'
import type { AttributeKey } from '../../ui/selector-completion.ts'

const LABEL = 'label.'

/** Attributes that most agents have come first. `group`: its variables first, then those of the others. */
export function referenceNames(
  keys: readonly AttributeKey[],
  groups: readonly Pick<Group, 'name' | 'revision'>[],
  secrets: readonly Pick<Secret, 'name'>[],
  group: string | undefined,
): ReferenceNames {
  const common = keys.toSorted((left, right) => right.agents - left.agents).map(({ key }) => key)
  const variablesOf = (some: readonly Pick<Group, 'revision'>[]) => some.flatMap(({ revision }) => Object.keys(revision.variables)).toSorted()
  return {
    agent: common.filter((key) => !key.startsWith(LABEL) && !key.startsWith('drover.')),
    label: common.filter((key) => key.startsWith(LABEL)).map((key) => key.slice(LABEL.length)),
    var: [...new Set([...variablesOf(groups.filter(({ name }) => name === group)), ...variablesOf(groups)])],
    secret: secrets.map(({ name }) => name).toSorted(),
  }
}
