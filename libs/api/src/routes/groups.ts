/** Groups: a selector, a priority, and the revision that its members should have. */
import { z } from 'zod'
import { Finding, PageQuery, ResourceName, Timestamp, pageOf } from '../common.ts'
import { defineRoute } from '../route.ts'
import { AgentCounts, AgentSummary, FragmentRef, Override } from './agents.ts'
import { MissingComponent } from './configs.ts'

export const ConfigRef = z.object({ config: ResourceName, version: z.number().int().min(1) }).meta({ id: 'ConfigRef' })

export const Revision = z
  .object({ number: z.number().int().min(1), configs: z.array(ConfigRef), author: z.string(), message: z.string(), createdAt: Timestamp })
  .meta({ id: 'Revision' })
export type Revision = z.output<typeof Revision>

export const Group = z
  .object({
    name: ResourceName,
    description: z.string(),
    /** Canonical text of the selector. */
    selector: z.string(),
    /** Where several groups match one agent, the higher priority wins; equal priorities: the later name wins. */
    priority: z.number().int(),
    revision: Revision,
    counts: AgentCounts,
    createdAt: Timestamp,
    updatedAt: Timestamp,
  })
  .meta({ id: 'Group' })
export type Group = z.output<typeof Group>

const Selector = z.string().min(1, 'write a selector; `*` selects every agent').max(4096)
const Priority = z.number().int().min(-1000).max(1000)
const Refs = z.array(ConfigRef).max(20)
export const GroupInput = z.object({
  description: z.string().max(500).default(''),
  selector: Selector,
  priority: Priority.default(0),
  configs: Refs.default([]),
  message: z.string().max(500).default(''),
})
const NameParams = z.object({ name: ResourceName })

/** What a group, as given, would do to the fleet. */
export const GroupPreview = z
  .object({
    matching: z.number().int(),
    sample: z.array(AgentSummary),
    /** Agents whose desired configuration would change. */
    changing: z.number().int(),
    joining: z.number().int(),
    leaving: z.number().int(),
    /** Members that do not accept remote configuration. */
    notAccepting: z.number().int(),
    findings: z.array(Finding),
    missing: z.array(MissingComponent),
    /** How the group mixes with others, one entry per combination of groups that members have, most agents first. */
    combinations: z.array(z.object({ groups: z.array(ResourceName), agents: z.number().int(), fragments: z.array(FragmentRef), overrides: z.array(Override) })),
  })
  .meta({ id: 'GroupPreview' })
export type GroupPreview = z.output<typeof GroupPreview>

export const groupRoutes = {
  listGroups: defineRoute({
    id: 'listGroups',
    method: 'GET',
    path: '/groups',
    tag: 'groups',
    access: 'read',
    summary: 'List groups, highest priority first',
    query: PageQuery,
    response: pageOf(Group),
  }),
  createGroup: defineRoute({
    id: 'createGroup',
    method: 'POST',
    path: '/groups',
    tag: 'groups',
    access: 'write',
    summary: 'Create a group',
    body: GroupInput.extend({ name: ResourceName }),
    status: 201,
    response: Group,
    idempotent: true,
    etag: true,
  }),
  getGroup: defineRoute({
    id: 'getGroup',
    method: 'GET',
    path: '/groups/{name}',
    tag: 'groups',
    access: 'read',
    summary: 'Show a group',
    params: NameParams,
    response: Group,
    etag: true,
  }),
  setGroup: defineRoute({
    id: 'setGroup',
    method: 'PUT',
    path: '/groups/{name}',
    tag: 'groups',
    access: 'write',
    summary: 'Change a group; other configs make a new revision, which goes to its members',
    params: NameParams,
    body: GroupInput,
    response: Group,
    ifMatch: true,
    etag: true,
  }),
  deleteGroup: defineRoute({
    id: 'deleteGroup',
    method: 'DELETE',
    path: '/groups/{name}',
    tag: 'groups',
    access: 'write',
    summary: 'Delete a group',
    params: NameParams,
    status: 204,
    ifMatch: true,
  }),
  listRevisions: defineRoute({
    id: 'listRevisions',
    method: 'GET',
    path: '/groups/{name}/revisions',
    tag: 'groups',
    access: 'read',
    summary: 'Revisions of a group, newest first',
    params: NameParams,
    query: PageQuery,
    response: pageOf(Revision),
  }),
  previewGroup: defineRoute({
    id: 'previewGroup',
    method: 'POST',
    path: '/groups/preview',
    tag: 'groups',
    access: 'read',
    summary: 'What a group would do, before it is saved',
    body: GroupInput.extend({ name: ResourceName.optional().meta({ description: 'Of the group that is edited' }) }),
    response: GroupPreview,
  }),
}
