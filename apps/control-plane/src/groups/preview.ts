/** What a group, as a person is editing it, would do: the effect on agents, and a check of every mix of groups that its members would get. */
import { setImmediate } from 'node:timers/promises'
import type { ConfigFile, Finding, GroupPreview as GroupPreviewShape } from '@drover/api'
import { compareFileNames, mergeFiles, validateMerged } from '@drover/agent-config'
import type { DraftEffect, GroupDraft } from '../seams.ts'
import type { ReadConfig } from './references.ts'
import type { ConfigRef } from './revision.ts'

export type GroupPreview = GroupPreviewShape

export interface PreviewOptions {
  readonly previewDraft: (draft: GroupDraft) => Promise<DraftEffect>
  readonly readFiles: (config: string, version: number) => Promise<readonly ConfigFile[]>
  /** What the agents of a selector lack of a configuration. */
  readonly missingFor: (draft: GroupDraft, files: readonly ConfigFile[]) => GroupPreview['missing']
}

/** Mixes beyond this are shown, but not checked: each check parses all files. */
const MAX_CHECKED_MIXES = 10

/** `given`: what is known of the draft already. */
export type PreviewGroup = (draft: GroupDraft, given: readonly Finding[]) => Promise<GroupPreview>

export function createPreview({ previewDraft, readFiles, missingFor }: PreviewOptions): PreviewGroup {
  return async (draft, given) => {
    const effect = await previewDraft(draft)
    const own = await readRefs(readFiles, draft.configs)
    const mixes = effect.combinations.slice(0, MAX_CHECKED_MIXES).map(({ fragments }) => distinctRefs(fragments))
    const findings = mixes.length === 0 ? check(own) : await checkMixes(mixes, readFiles)
    return {
      matching: effect.matching,
      sample: [...effect.sample],
      changing: effect.changing,
      joining: effect.joining,
      leaving: effect.leaving,
      notAccepting: effect.notAccepting,
      findings: withoutRepetition([...given, ...effect.unresolved.map(toFinding), ...findings]),
      missing: own.length === 0 ? [] : missingFor(draft, own),
      combinations: [...effect.combinations],
    }
  }
}

/** One after the other, with a turn of the event loop for everybody else in between. */
async function checkMixes(mixes: readonly (readonly ConfigRef[])[], readFiles: PreviewOptions['readFiles']): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const refs of mixes) {
    findings.push(...check(await readRefs(readFiles, refs)))
    await setImmediate()
  }
  return findings
}

/** What a check of these alone finds. Other groups, and the agents' own files, may complete them. */
export function checkFragments(configs: readonly ReadConfig[]): Finding[] {
  return check(inOrder(configs), 'fragment')
}

function check(files: readonly ConfigFile[], as: 'complete' | 'fragment' = 'complete'): Finding[] {
  if (files.length === 0) return []
  return validateMerged(mergeFiles(files), files, { as }).map((finding) => ({ ...finding }))
}

async function readRefs(readFiles: PreviewOptions['readFiles'], refs: readonly ConfigRef[]): Promise<ConfigFile[]> {
  return inOrder(await Promise.all(refs.map(async (ref) => ({ ...ref, files: await readFiles(ref.config, ref.version) }))))
}

/** Names as they are offered when several files meet, so that the merge follows the precedence. */
function inOrder(configs: readonly ReadConfig[]): ConfigFile[] {
  const files = configs.flatMap(({ config, version, files: own }) =>
    own
      .toSorted((a, b) => compareFileNames(a.name, b.name))
      .map((file) => ({ ...file, name: `${config}@${version}${file.name === '' ? '' : ` ${file.name}`}` })),
  )
  return files.map((file, index) => ({ ...file, name: `${String(index).padStart(3, '0')} ${file.name}` }))
}

/** An error: who lacks a value is not offered anything. */
function toFinding({ message, place, line, column, lacking, agents }: DraftEffect['unresolved'][number]): Finding {
  const who = lacking === 0 ? '' : ` (${lacking} ${lacking === 1 ? 'agent' : 'agents'}: ${agents.join(', ')}${lacking > agents.length ? ', …' : ''})`
  return {
    severity: 'error',
    code: 'unresolved-name',
    message: `${message}${who}`,
    file: place,
    ...(line === null ? {} : { line }),
    ...(column === null ? {} : { column }),
  }
}

function distinctRefs(fragments: readonly ConfigRef[]): ConfigRef[] {
  return [...new Map(fragments.map(({ config, version }) => [`${config}@${version}`, { config, version }])).values()]
}

function withoutRepetition(findings: readonly Finding[]): Finding[] {
  return [...new Map(findings.map((finding) => [JSON.stringify(finding), finding])).values()]
}
