/** What a group, as a person is editing it, would do: the effect on agents, and a check of every mix of groups that its members would get. */
import { setImmediate } from 'node:timers/promises'
import type { ConfigFile, Finding, GroupPreview as GroupPreviewShape } from '@drover/api'
import { compareFileNames, mergeFiles, validateMerged } from '@drover/agent-config'
import type { DraftEffect, GroupDraft } from '../seams.ts'
import type { ConfigRef } from './store.ts'

export type GroupPreview = GroupPreviewShape

export interface PreviewOptions {
  readonly previewDraft: (draft: GroupDraft) => Promise<DraftEffect>
  readonly readFiles: (config: string, version: number) => Promise<readonly ConfigFile[]>
  /** What the agents of a selector lack of a configuration. */
  readonly missingFor: (draft: GroupDraft, files: readonly ConfigFile[]) => GroupPreview['missing']
}

/** Mixes beyond this are shown, but not checked: each check parses all files. */
const MAX_CHECKED_MIXES = 10

export function createPreview({ previewDraft, readFiles, missingFor }: PreviewOptions): (draft: GroupDraft) => Promise<GroupPreview> {
  return async (draft) => {
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
      findings: withoutRepetition(findings),
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

function check(files: readonly ConfigFile[]): Finding[] {
  if (files.length === 0) return []
  return validateMerged(mergeFiles(files), files).map((finding) => ({ ...finding }))
}

/** Names as they are offered when several files meet, so that the merge follows the precedence. */
async function readRefs(readFiles: PreviewOptions['readFiles'], refs: readonly ConfigRef[]): Promise<ConfigFile[]> {
  const files: ConfigFile[] = []
  for (const { config, version } of refs) {
    const own = (await readFiles(config, version)).toSorted((a, b) => compareFileNames(a.name, b.name))
    files.push(...own.map((file) => ({ ...file, name: `${config}@${version}${file.name === '' ? '' : ` ${file.name}`}` })))
  }
  return files.map((file, index) => ({ ...file, name: `${String(index).padStart(3, '0')} ${file.name}` }))
}

function distinctRefs(fragments: readonly ConfigRef[]): ConfigRef[] {
  return [...new Map(fragments.map(({ config, version }) => [`${config}@${version}`, { config, version }])).values()]
}

function withoutRepetition(findings: readonly Finding[]): Finding[] {
  return [...new Map(findings.map((finding) => [JSON.stringify(finding), finding])).values()]
}
