/** Configs: named documents with immutable numbered versions, checked before they can be sent. */
import { z } from 'zod'
import { ConfigFile, ContentHash, Files, Finding, PageQuery, ResourceName, Timestamp, pageOf } from '../common.ts'
import { defineRoute } from '../route.ts'

export const ConfigVersionInfo = z
  .object({ version: z.number().int().min(1), hash: ContentHash, message: z.string(), author: z.string(), createdAt: Timestamp, bytes: z.number().int() })
  .meta({ id: 'ConfigVersionInfo' })

export const ConfigVersion = ConfigVersionInfo.extend({ config: ResourceName, files: z.array(ConfigFile), findings: z.array(Finding) }).meta({
  id: 'ConfigVersion',
})
export type ConfigVersion = z.output<typeof ConfigVersion>

export const Config = z
  .object({
    name: ResourceName,
    description: z.string(),
    latest: ConfigVersionInfo,
    /** Groups whose current revision uses it, with the version each uses. */
    usedBy: z.array(z.object({ group: ResourceName, version: z.number().int() })),
    createdAt: Timestamp,
    updatedAt: Timestamp,
  })
  .meta({ id: 'Config' })
export type Config = z.output<typeof Config>

const Message = z.string().max(500).default('')
const Description = z.string().max(500).default('')
/**
 * A version with errors is refused (422 with the findings as `errors`); warnings never block. A fragment leans on other configs or on the agent's own
 * files: what it refers to without defining it is a warning then. Unset: files that have receivers, exporters and pipelines are taken as complete.
 */
const Fragment = z.boolean().optional()

const NameParams = z.object({ name: ResourceName })
const VersionParams = z.object({ name: ResourceName, version: z.coerce.number().int().min(1) })

/** Which agents a configuration would go to. At most one of the two; none: structure alone is checked. */
const Target = z.object({ group: ResourceName.optional(), selector: z.string().max(4096).optional() })

export const MissingComponent = z
  .object({ kind: z.string(), type: z.string(), lacking: z.number().int(), agents: z.array(z.string()) })
  .meta({ id: 'MissingComponent' })
export const Validation = z
  .object({
    valid: z.boolean(),
    findings: z.array(Finding),
    targets: z
      .object({
        agents: z.number().int(),
        /** How many reported which components they contain; the rest could not be checked. */
        checked: z.number().int(),
        missing: z.array(MissingComponent),
      })
      .nullable(),
  })
  .meta({ id: 'Validation' })
export type Validation = z.output<typeof Validation>

export const ConfigDiff = z
  .object({
    from: z.object({ version: z.number().int() }),
    to: z.object({ version: z.number().int() }),
    /** Unified diff of all files. */
    unified: z.string(),
    /** Changes by path of the merged documents. */
    changes: z.array(z.object({ path: z.string(), kind: z.enum(['added', 'removed', 'changed']), from: z.unknown().optional(), to: z.unknown().optional() })),
  })
  .meta({ id: 'ConfigDiff' })

export const configRoutes = {
  listConfigs: defineRoute({
    id: 'listConfigs',
    method: 'GET',
    path: '/configs',
    tag: 'configs',
    access: 'read',
    summary: 'List configs',
    query: PageQuery.extend({ search: z.string().max(255).optional() }),
    response: pageOf(Config),
  }),
  createConfig: defineRoute({
    id: 'createConfig',
    method: 'POST',
    path: '/configs',
    tag: 'configs',
    access: 'write',
    summary: 'Create a config with its first version',
    body: z.object({ name: ResourceName, description: Description, message: Message, files: Files, fragment: Fragment }),
    status: 201,
    response: Config,
    idempotent: true,
    etag: true,
  }),
  getConfig: defineRoute({
    id: 'getConfig',
    method: 'GET',
    path: '/configs/{name}',
    tag: 'configs',
    access: 'read',
    summary: 'Show a config',
    params: NameParams,
    response: Config,
    etag: true,
  }),
  deleteConfig: defineRoute({
    id: 'deleteConfig',
    method: 'DELETE',
    path: '/configs/{name}',
    tag: 'configs',
    access: 'write',
    summary: 'Delete a config that no group uses',
    params: NameParams,
    status: 204,
  }),
  listVersions: defineRoute({
    id: 'listVersions',
    method: 'GET',
    path: '/configs/{name}/versions',
    tag: 'configs',
    access: 'read',
    summary: 'Versions of a config, newest first',
    params: NameParams,
    query: PageQuery,
    response: pageOf(ConfigVersionInfo),
  }),
  createVersion: defineRoute({
    id: 'createVersion',
    method: 'POST',
    path: '/configs/{name}/versions',
    tag: 'configs',
    access: 'write',
    summary: 'Add a version',
    params: NameParams,
    body: z.object({ message: Message, files: Files, fragment: Fragment }),
    status: 201,
    response: ConfigVersion,
    ifMatch: true,
    idempotent: true,
    etag: true,
  }),
  getVersion: defineRoute({
    id: 'getVersion',
    method: 'GET',
    path: '/configs/{name}/versions/{version}',
    tag: 'configs',
    access: 'read',
    summary: 'Show a version',
    params: VersionParams,
    response: ConfigVersion,
  }),
  diffVersions: defineRoute({
    id: 'diffVersions',
    method: 'GET',
    path: '/configs/{name}/versions/{version}/diff',
    tag: 'configs',
    access: 'read',
    summary: 'What a version changed',
    params: VersionParams,
    query: z.object({ from: z.coerce.number().int().min(0).optional().meta({ description: 'Default: the version before; 0 stands for nothing' }) }),
    response: ConfigDiff,
  }),
  validateConfig: defineRoute({
    id: 'validateConfig',
    method: 'POST',
    path: '/configs/validate',
    tag: 'configs',
    access: 'read',
    summary: 'Check files without storing them',
    body: z.object({ files: Files, fragment: Fragment, target: Target.optional() }),
    response: Validation,
  }),
}
