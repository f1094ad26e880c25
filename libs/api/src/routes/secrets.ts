/** Secrets: values that configurations name as `${drover:secret.NAME}`. Kept encrypted, never shown again. */
import { z } from 'zod'
import { PageQuery, ResourceName, Timestamp, pageOf } from '../common.ts'
import { defineRoute } from '../route.ts'

/** Part of `${drover:secret.NAME}` and `${drover:var.NAME}`. */
export const VariableName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]{0,62}$/, 'use 1 to 63 letters, digits or underscores, not starting with a digit')
  .meta({ id: 'VariableName' })

export const Secret = z
  .object({
    name: VariableName,
    description: z.string(),
    /** Grows with each new value. Revisions of groups keep the version that they were made with. */
    version: z.number().int(),
    /** Groups whose current or coming revision uses it, and which version of it. */
    usedBy: z.array(z.object({ group: ResourceName, version: z.number().int() })),
    createdAt: Timestamp,
    updatedAt: Timestamp,
    updatedBy: z.string(),
  })
  .meta({ id: 'Secret' })
export type Secret = z.output<typeof Secret>

const SecretParams = z.object({ name: VariableName })

export const secretRoutes = {
  listSecrets: defineRoute({
    id: 'listSecrets',
    method: 'GET',
    path: '/secrets',
    tag: 'secrets',
    access: 'read',
    summary: 'Secrets by name, without their values',
    query: PageQuery,
    response: pageOf(Secret),
  }),
  getSecret: defineRoute({
    id: 'getSecret',
    method: 'GET',
    path: '/secrets/{name}',
    tag: 'secrets',
    access: 'read',
    summary: 'Show a secret, without its value',
    params: SecretParams,
    response: Secret,
  }),
  setSecret: defineRoute({
    id: 'setSecret',
    method: 'PUT',
    path: '/secrets/{name}',
    tag: 'secrets',
    access: 'write',
    summary: 'Give a secret a value. Agents get it with the next revision of their group that asks for the latest secrets',
    params: SecretParams,
    body: z.object({ value: z.string().min(1).max(65_536), description: z.string().max(500).optional() }),
    response: Secret,
  }),
  deleteSecret: defineRoute({
    id: 'deleteSecret',
    method: 'DELETE',
    path: '/secrets/{name}',
    tag: 'secrets',
    access: 'write',
    summary: 'Delete a secret that no group uses',
    params: SecretParams,
    status: 204,
  }),
}
