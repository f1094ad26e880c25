/** Checks the pipelines of a Collector configuration: references, missing ends, connectors, components that nothing uses. */
import { invalidId } from './check-sections.ts'
import type { ComponentKind } from './components.ts'
import { definedIds, parseComponentId, sections } from './components.ts'
import type { Path, ReportPath } from './finding.ts'
import type { PipelineRole } from './pipelines.ts'
import { findPipelineCycle, pipelineRoles, pipelinesOf } from './pipelines.ts'
import type { ConfigMap, ConfigValue } from './value.ts'
import { child, hasPlaceholder, isMap } from './value.ts'

const signals: ReadonlySet<string> = new Set(['traces', 'metrics', 'logs', 'profiles'])
const pipelinesPath: Path = ['service', 'pipelines']
const kindOf: Readonly<Record<PipelineRole, ComponentKind>> = { receivers: 'receiver', processors: 'processor', exporters: 'exporter' }

/** What the configuration defines, and of which sections that is not known before the Collector starts. */
interface Defined {
  readonly ids: ReadonlyMap<ComponentKind, ReadonlySet<string>>
  readonly open: ReadonlySet<ComponentKind>
}

export function checkPipelines(config: ConfigMap, report: ReportPath): void {
  const pipelines = child(config['service'], 'pipelines')
  if (hasPlaceholder(config['service']) || hasPlaceholder(pipelines)) return
  if (pipelines === undefined || pipelines === null || (isMap(pipelines) && Object.keys(pipelines).length === 0)) {
    report('warning', 'no-pipelines', 'there are no pipelines: the Collector would run and carry nothing', config['service'] === undefined ? [] : ['service'])
    return
  }
  if (!isMap(pipelines)) {
    report('error', 'wrong-type', 'service.pipelines is a map of pipelines', pipelinesPath)
    return
  }
  const defined = definedComponents(config)
  for (const [id, pipeline] of Object.entries(pipelines)) checkPipeline(id, pipeline, defined, report)
  checkConnectors(config, defined, report)
  checkUnused(config, defined, report)
}

function definedComponents(config: ConfigMap): Defined {
  const kinds: readonly ComponentKind[] = ['receiver', 'processor', 'exporter', 'connector']
  return {
    ids: new Map(kinds.map((kind) => [kind, new Set(definedIds(config, kind))])),
    open: new Set(kinds.filter((kind) => hasPlaceholder(config[sections[kind]]))),
  }
}

function isDefined(defined: Defined, kind: ComponentKind, id: string): boolean {
  return defined.ids.get(kind)?.has(id) === true
}

function checkPipeline(id: string, pipeline: ConfigValue, defined: Defined, report: ReportPath): void {
  const path = [...pipelinesPath, id]
  const parsed = parseComponentId(id)
  if (parsed === undefined)
    report(
      'error',
      'invalid-component-id',
      `${JSON.stringify(id)} is no pipeline id: write a signal such as "traces", or a signal and a name such as "traces/2"`,
      path,
    )
  else if (!signals.has(parsed.type))
    report('error', 'invalid-pipeline-type', `a pipeline carries traces, metrics, logs or profiles, not ${JSON.stringify(parsed.type)}`, path)
  if (hasPlaceholder(pipeline)) return
  if (pipeline !== null && !isMap(pipeline)) {
    report('error', 'wrong-type', `the pipeline ${JSON.stringify(id)} is a map of receivers, processors and exporters`, path)
    return
  }
  for (const key of Object.keys(pipeline ?? {})) {
    if (!pipelineRoles.some((role) => role === key)) report('warning', 'unknown-key', `a pipeline has no key ${JSON.stringify(key)}`, [...path, key])
  }
  for (const role of pipelineRoles) checkRole(id, role, child(pipeline, role), defined, report)
}

function checkRole(pipelineId: string, role: PipelineRole, list: ConfigValue | undefined, defined: Defined, report: ReportPath): void {
  const path = [...pipelinesPath, pipelineId, role]
  if (hasPlaceholder(list)) return
  if (list === undefined || list === null || (Array.isArray(list) && list.length === 0)) {
    if (role !== 'processors') report('error', `pipeline-without-${kindOf[role]}`, `the pipeline ${JSON.stringify(pipelineId)} has no ${kindOf[role]}`, path)
    return
  }
  if (!Array.isArray(list)) {
    report('error', 'wrong-type', `${role} of a pipeline is a list of component ids`, path)
    return
  }
  const seen = new Set<string>()
  list.forEach((item, index) => {
    if (typeof item !== 'string') report('error', 'wrong-type', `${role} of a pipeline is a list of component ids`, [...path, index])
    else if (!hasPlaceholder(item)) checkReference(pipelineId, role, item, [...path, index], defined, report)
    if (typeof item !== 'string') return
    if (seen.has(item))
      report(
        role === 'processors' ? 'error' : 'warning',
        'repeated-component',
        `the pipeline ${JSON.stringify(pipelineId)} names ${JSON.stringify(item)} twice in ${role}`,
        [...path, index],
      )
    seen.add(item)
  })
}

function checkReference(pipelineId: string, role: PipelineRole, id: string, path: Path, defined: Defined, report: ReportPath): void {
  if (parseComponentId(id) === undefined) {
    report('error', 'invalid-component-id', invalidId(id), path)
    return
  }
  const kinds: readonly ComponentKind[] = role === 'processors' ? ['processor'] : [kindOf[role], 'connector']
  if (kinds.some((kind) => isDefined(defined, kind, id) || defined.open.has(kind))) return
  const places = kinds.map((kind) => sections[kind]).join(' or ')
  report(
    'error',
    'unknown-component',
    `the pipeline ${JSON.stringify(pipelineId)} uses ${kindOf[role]} ${JSON.stringify(id)}, which is not defined in ${places}`,
    path,
  )
}

function checkConnectors(config: ConfigMap, defined: Defined, report: ReportPath): void {
  const pipelines = pipelinesOf(config)
  const connectors = defined.ids.get('connector') ?? new Set<string>()
  const certain = pipelines.every(({ open }) => open.length === 0)
  const sources = new Set(pipelines.flatMap(({ receivers }) => receivers))
  const targets = new Set(pipelines.flatMap(({ exporters }) => exporters))
  for (const id of connectors) {
    for (const kind of ['receiver', 'exporter'] as const) {
      if (isDefined(defined, kind, id))
        report('error', 'ambiguous-id', `${JSON.stringify(id)} is defined as ${kind} and as connector: a pipeline could mean either`, ['connectors', id])
    }
    if (targets.has(id) !== sources.has(id) && certain) {
      const [has, lacks] = targets.has(id) ? ['exporter', 'receiver'] : ['receiver', 'exporter']
      report('error', 'connector-one-sided', `the connector ${JSON.stringify(id)} is ${has} of a pipeline but ${lacks} of none`, ['connectors', id])
    }
  }
  const cycle = findPipelineCycle(pipelines, connectors)
  if (cycle !== undefined)
    report('error', 'pipeline-cycle', `the pipelines ${cycle.join(' -> ')} feed each other in a circle`, [...pipelinesPath, cycle[0] ?? ''])
}

function checkUnused(config: ConfigMap, defined: Defined, report: ReportPath): void {
  const pipelines = pipelinesOf(config)
  const used = (role: PipelineRole): { readonly ids: ReadonlySet<string>; readonly open: boolean } => ({
    ids: new Set(pipelines.flatMap((pipeline) => pipeline[role])),
    open: pipelines.some(({ open }) => open.includes(role)),
  })
  for (const role of pipelineRoles) {
    const { ids, open } = used(role)
    if (open) continue
    for (const id of defined.ids.get(kindOf[role]) ?? []) {
      if (!ids.has(id)) report('warning', 'unused-component', `no pipeline uses ${kindOf[role]} ${JSON.stringify(id)}`, [role, id])
    }
  }
  const [receivers, exporters] = [used('receivers'), used('exporters')]
  if (receivers.open || exporters.open) return
  for (const id of defined.ids.get('connector') ?? []) {
    if (!receivers.ids.has(id) && !exporters.ids.has(id))
      report('warning', 'unused-component', `no pipeline uses connector ${JSON.stringify(id)}`, ['connectors', id])
  }
}
