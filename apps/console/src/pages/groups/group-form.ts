/** What a person fills in for a group, and what it becomes for the server. Pure. */
import type { Group, GroupInput } from '@drover/api'
import type { z } from 'zod'

export interface GroupDraft {
  readonly name: string
  readonly description: string
  readonly selector: string
  readonly priority: number
  readonly configs: readonly { readonly config: string; readonly version: number }[]
  readonly message: string
}

export const emptyDraft: GroupDraft = { name: '', description: '', selector: '', priority: 0, configs: [], message: '' }

export function draftOf(group: Group): GroupDraft {
  return { name: group.name, description: group.description, selector: group.selector, priority: group.priority, configs: group.revision.configs, message: '' }
}

export function inputOf(draft: GroupDraft): z.input<typeof GroupInput> {
  return { description: draft.description, selector: draft.selector, priority: draft.priority, configs: [...draft.configs], message: draft.message }
}

/** `base@3` as it stands in an address. */
export function parseConfigRef(text: string | undefined): GroupDraft['configs'] {
  const match = /^(.+)@(\d+)$/.exec(text ?? '')
  return match?.[1] === undefined ? [] : [{ config: match[1], version: Number(match[2]) }]
}

/** What stops a draft from being saved before the server is asked, or undefined. */
export function draftRefusal(draft: GroupDraft, isNew: boolean): string | undefined {
  if (isNew && draft.name === '') return 'Give the group a name first'
  if (draft.selector.trim() === '') return 'Write a selector first; * selects every agent'
  return undefined
}

/** Does saving give members something else to run? Only then a new revision is made. */
export const changesRevision = (before: Group | undefined, draft: GroupDraft): boolean =>
  before === undefined ||
  JSON.stringify(before.revision.configs.map(({ config, version }) => [config, version])) !==
    JSON.stringify(draft.configs.map(({ config, version }) => [config, version]))

export const sameDraft = (left: GroupDraft, right: GroupDraft): boolean =>
  left.description === right.description &&
  left.selector.trim() === right.selector.trim() &&
  left.priority === right.priority &&
  JSON.stringify(left.configs.map(({ config, version }) => [config, version])) === JSON.stringify(right.configs.map(({ config, version }) => [config, version]))
