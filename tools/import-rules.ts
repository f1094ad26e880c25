/** Who may import whom, between workspaces and between the folders of one. Anything that is not allowed here is forbidden. */

export interface WorkspaceRule {
  /** Folder from the root, e.g. `libs/protocol`. */
  readonly folder: string
  /** Other workspaces, by the last part of their names (`protocol` for `@drover/protocol`). */
  readonly imports: readonly string[]
  /** Uses nothing from Node, so that it also runs in a browser. */
  readonly pure?: true
  /** What its tests import beyond that. */
  readonly inTests?: readonly string[]
  /** Folders of `src` with imports beyond `imports`. */
  readonly extra?: Readonly<Record<string, readonly string[]>>
  /** Which folders of `src` a folder of `src` may import. Absent: any, as long as no two import each other in a circle. */
  readonly folders?: Readonly<Record<string, readonly string[]>>
}

/** What the features of the control plane share; features meet in `fleet` values and in the event log, never in each other. */
const shared = ['config', 'storage', 'events', 'http'] as const

export const workspaceRules: Readonly<Record<string, WorkspaceRule>> = {
  protocol: { folder: 'libs/protocol', imports: [], pure: true },
  'agent-config': { folder: 'libs/agent-config', imports: [], pure: true },
  api: { folder: 'libs/api', imports: [], pure: true },
  fleet: { folder: 'libs/fleet', imports: ['protocol', 'agent-config'], pure: true },
  server: { folder: 'libs/server', imports: ['protocol'] },
  client: { folder: 'libs/client', imports: ['protocol'], inTests: ['server'] },
  testing: { folder: 'libs/testing', imports: ['protocol'], inTests: ['server'] },
  'control-plane': {
    folder: 'apps/control-plane',
    imports: ['protocol', 'server', 'fleet', 'agent-config', 'api'],
    extra: { demo: ['testing'] },
    folders: {
      config: [],
      storage: ['config'],
      http: ['config', 'storage'],
      events: ['storage', 'http'],
      access: shared,
      agents: shared,
      configs: shared,
      groups: shared,
      rollouts: shared,
      secrets: shared,
      templates: shared,
      system: shared,
      outgoing: ['config'],
      gates: [...shared, 'outgoing'],
      webhooks: [...shared, 'outgoing'],
      telemetry: shared,
      demo: shared,
    },
  },
  console: { folder: 'apps/console', imports: ['api', 'agent-config'] },
  // `server`: a Collector's extension speaks OpAMP to its supervisor.
  supervisor: { folder: 'apps/supervisor', imports: ['protocol', 'client', 'server', 'agent-config'] },
  cli: { folder: 'apps/cli', imports: ['api', 'agent-config', 'control-plane', 'supervisor'] },
  tests: { folder: 'tests', imports: ['protocol', 'server', 'client', 'testing', 'fleet', 'agent-config', 'api', 'control-plane', 'supervisor', 'cli'] },
  tools: { folder: 'tools', imports: [] },
}

/** Tests may also use the fake clock and the scripted agents. */
export const testImports: readonly string[] = ['testing']

/** Packages that need not be listed by the workspace that imports them: the test runner serves all of them. */
export const sharedPackages: readonly string[] = ['vitest']
