/** Puts together what a supervised Collector runs, exactly as the stock supervisor (v0.149.0) does. */
import { readBlockYaml } from '../block-reader.ts'
import { compareFileNames } from '../config-file.ts'
import type { ConfigFile } from '../config-file.ts'
import type { Finding } from '../finding.ts'
import type { ConfigLimits } from '../limits.ts'
import { byteLength } from '../limits.ts'
import { mergeValues } from '../merge-values.ts'
import { parseYaml } from '../parse.ts'
import type { RestrictedOffer, Restrictions } from '../restrictions/check-restrictions.ts'
import { checkRestrictions } from '../restrictions/check-restrictions.ts'
import { createMap } from '../value.ts'
import type { ConfigMap } from '../value.ts'
import { exportFragment, noopPipelineFragment, opampExtensionFragment, resourceFragment } from './fragments.ts'
import type { ExportDestinations, SupervisorLink } from './fragments.ts'
import { writeCollectorConfig } from './write-collector-config.ts'

/** One of the places that configuration comes from; `file` is one on the Agent's host. */
export type CollectorConfigSource =
  | { readonly kind: 'own-telemetry' }
  | { readonly kind: 'opamp-extension' }
  | { readonly kind: 'remote' }
  /** `body`: undefined when the file could not be read. */
  | { readonly kind: 'file'; readonly path: string; readonly body: string | undefined }

export interface CollectorConfigInput {
  /** Later ones win. See `completeSourceOrder` for the order that a supervisor's file stands for. */
  readonly sources: readonly CollectorConfigSource[]
  /** Where this is false, `remote` plays no part and no no-op pipeline is needed. */
  readonly acceptsRemoteConfig: boolean
  /** Offered files, merged in the order of their names with the empty name last; `undefined`: none were ever offered. */
  readonly remote: readonly ConfigFile[] | undefined
  /** As offered; a signal that is absent is not exported. */
  readonly ownTelemetry: ExportDestinations | undefined
  /** What the Agent reports itself as; see `resourceAttributesOf`. */
  readonly resourceAttributes: Readonly<Record<string, string>>
  readonly extension: SupervisorLink
  /** The Collector knows the feature gate `service.AllowNoPipelines`. */
  readonly allowsNoPipelines: boolean
  readonly limits?: ConfigLimits
  /** What `remote` may touch; a violation rejects the whole. `valueOf`: the Collector's environment. */
  readonly restrictions?: Restrictions & Pick<RestrictedOffer, 'valueOf'>
}

export type CollectorConfig =
  | {
      readonly kind: 'composed'
      readonly merged: ConfigMap
      /** What to write to the file: keys in order, so that equal configurations have equal text. Holds what the sources hold: secrets. */
      readonly text: string
      /** Local files that were left out, with the reason, and warnings. */
      readonly findings: readonly Finding[]
      /** An empty set of files was offered: the Collector is not to run. */
      readonly runsNothing: boolean
    }
  | {
      readonly kind: 'rejected'
      /** One sentence for the Server: file, place and what is wrong; no text of the file. */
      readonly reason: string
      readonly findings: readonly Finding[]
    }

/** Larger than what a Server should send: an Agent that refused its own host's files would be worse. */
export const composeLimits: ConfigLimits = {
  maxFileBytes: 8 * 1024 * 1024,
  maxTotalBytes: 32 * 1024 * 1024,
  maxFiles: 1000,
  maxDepth: 100,
  maxValues: 1_000_000,
  maxBreaks: 1_000_000,
  maxFindings: 50,
  maxFileNameLength: 4096,
}

/** A local file that cannot be read is left out with a finding; an offered one that cannot be read rejects the whole. */
export function composeCollectorConfig(input: CollectorConfigInput): CollectorConfig {
  const limits = input.limits ?? composeLimits
  const findings: Finding[] = []
  const remote = input.acceptsRemoteConfig ? (input.remote ?? []) : []
  const offered: { file: string; document: ConfigMap }[] = []
  let merged = input.acceptsRemoteConfig && remote.length === 0 ? noopPipeline(input.allowsNoPipelines) : createMap()
  for (const source of input.sources) {
    for (const part of partsOf(source, input, remote, limits)) {
      findings.push(...part.findings)
      const error = part.findings.find(({ severity }) => severity === 'error')
      if (error !== undefined && source.kind === 'remote') return { kind: 'rejected', reason: describe(error), findings }
      if (part.document === undefined) continue
      if (source.kind === 'remote') offered.push({ file: part.file ?? '', document: part.document })
      merged = mergeValues(merged, part.document)
    }
  }
  const refused = input.restrictions === undefined ? undefined : checkOffer(offered, merged, input.restrictions)
  if (refused !== undefined) return { kind: 'rejected', reason: refused.reason, findings: [...findings, ...refused.findings] }
  return { kind: 'composed', merged, text: writeCollectorConfig(merged), findings, runsNothing: input.acceptsRemoteConfig && input.remote?.length === 0 }
}

/** What the Collector runs just long enough to say who it is. */
export function composeBootstrapConfig(
  link: SupervisorLink,
  options: { readonly allowsNoPipelines: boolean },
): { readonly merged: ConfigMap; readonly text: string } {
  const merged = mergeValues(noopPipeline(options.allowsNoPipelines), opampExtensionFragment(link))
  return { merged, text: writeCollectorConfig(merged) }
}

function noopPipeline(allowsNoPipelines: boolean): ConfigMap {
  return allowsNoPipelines ? createMap() : noopPipelineFragment()
}

function checkOffer(offered: RestrictedOffer['offered'], merged: ConfigMap, restrictions: Restrictions & Pick<RestrictedOffer, 'valueOf'>) {
  const { findings, count } = checkRestrictions({ offered, merged, valueOf: restrictions.valueOf }, restrictions)
  if (count === 0) return undefined
  const more = count > findings.length ? [`and ${count - findings.length} more`] : []
  const sentences = findings.map(({ file, path, message }) => `${path} in ${JSON.stringify(file)}: ${message}`)
  return { reason: `this host does not allow that (drover.restrictions): ${[...sentences, ...more].join('; ')}`, findings }
}

interface Part {
  readonly file?: string
  readonly document?: ConfigMap
  readonly findings: readonly Finding[]
}

function partsOf(source: CollectorConfigSource, input: CollectorConfigInput, remote: readonly ConfigFile[], limits: ConfigLimits): readonly Part[] {
  switch (source.kind) {
    case 'own-telemetry':
      return [exportFragment(input.ownTelemetry ?? {}), resourceFragment(input.resourceAttributes)].map((document) => ({ document, findings: [] }))
    case 'opamp-extension':
      return [{ document: opampExtensionFragment(input.extension), findings: [] }]
    case 'remote':
      return remoteParts(remote, limits)
    case 'file':
      return [source.body === undefined ? failed('unreadable-file', 'the file cannot be read', source.path) : read(source.body, source.path, limits)]
    default:
      return source satisfies never
  }
}

function remoteParts(remote: readonly ConfigFile[], limits: ConfigLimits): readonly Part[] {
  const total = remote.reduce((sum, { body }) => sum + byteLength(body), 0)
  if (remote.length > limits.maxFiles) return [failed('too-many-files', `there are ${remote.length} files, at most ${limits.maxFiles} are allowed`)]
  if (total > limits.maxTotalBytes) return [failed('too-large', `the files are larger than ${limits.maxTotalBytes} bytes together`)]
  return remote.toSorted((a, b) => compareFileNames(a.name, b.name)).map(({ name, body }) => ({ ...read(body, name, limits), file: name }))
}

function read(body: string, file: string, limits: ConfigLimits): Part {
  const document = readBlockYaml(body, limits)
  return document === undefined ? parseYaml(body, file, limits, { documents: 'first' }) : { document, findings: [] }
}

function failed(code: string, message: string, file?: string): Part {
  return { findings: [{ severity: 'error', code, message, ...(file === undefined ? {} : { file }) }] }
}

function describe({ file, line, column, message }: Finding): string {
  if (file === undefined) return message
  return `the configuration file ${JSON.stringify(file)}${line === undefined ? '' : `, line ${line}, column ${column ?? 1}`}: ${message}`
}
