/** Drafts: a config as somebody is writing it, apart from its versions. One for each config; it may have errors. */
import { z } from 'zod'
import { ConfigFile, Finding, PageQuery, ResourceName, Timestamp, pageOf } from '../common.ts'
import { defineRoute } from '../route.ts'
import { ConfigVersion } from './configs.ts'

export const Draft = z
  .object({
    /** Of the config that it becomes a version of. */
    config: ResourceName,
    description: z.string(),
    /** The version that it was begun from; null: the config is not there yet. */
    baseVersion: z.number().int().nullable(),
    files: z.array(ConfigFile).max(100),
    message: z.string(),
    findings: z.array(Finding),
    updatedBy: z.string(),
    updatedAt: Timestamp,
  })
  .meta({ id: 'Draft' })
export type Draft = z.output<typeof Draft>

const DraftParams = z.object({ config: ResourceName })

export const draftRoutes = {
  listDrafts: defineRoute({
    id: 'listDrafts',
    method: 'GET',
    path: '/drafts',
    tag: 'configs',
    access: 'read',
    summary: 'Drafts, the last changed first',
    query: PageQuery,
    response: pageOf(Draft.omit({ files: true, findings: true })),
  }),
  getDraft: defineRoute({
    id: 'getDraft',
    method: 'GET',
    path: '/drafts/{config}',
    tag: 'configs',
    access: 'read',
    summary: 'Show a draft',
    params: DraftParams,
    response: Draft,
    etag: true,
  }),
  /** `If-Match` only when there is one already; without it, one that exists is a conflict. */
  saveDraft: defineRoute({
    id: 'saveDraft',
    method: 'PUT',
    path: '/drafts/{config}',
    tag: 'configs',
    access: 'write',
    summary: 'Save a draft; nothing is sent to any agent',
    params: DraftParams,
    body: z.object({
      description: z.string().max(500).optional(),
      files: z.array(ConfigFile).max(100),
      message: z.string().max(500).default(''),
      /** The ETag of the draft that was edited; absent: there is none yet. */
      edited: z.string().max(64).optional(),
    }),
    response: Draft,
    etag: true,
  }),
  publishDraft: defineRoute({
    id: 'publishDraft',
    method: 'POST',
    path: '/drafts/{config}/publish',
    tag: 'configs',
    access: 'write',
    summary: 'Make the draft the next version of its config',
    params: DraftParams,
    body: z.object({ message: z.string().max(500).optional(), fragment: z.boolean().optional() }),
    status: 201,
    response: ConfigVersion,
    ifMatch: true,
  }),
  deleteDraft: defineRoute({
    id: 'deleteDraft',
    method: 'DELETE',
    path: '/drafts/{config}',
    tag: 'configs',
    access: 'write',
    summary: 'Throw a draft away',
    params: DraftParams,
    status: 204,
  }),
}
