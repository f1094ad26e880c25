/** What came in the way of a draft: which other texts there are to compare it with. Pure. */
import type { ConfigVersion, Draft } from '@drover/api'
import { joinFiles } from '../../../ui/editor/comparable-yaml.ts'
import { type DraftContent, type StoredDraft, sameContent } from './draft-saver.ts'

export interface Newest {
  /** The draft as it is now; undefined: it was published or thrown away. */
  readonly theirs: { readonly draft: Draft; readonly stored: StoredDraft } | undefined
  /** The newest version; undefined: the config is not there yet. */
  readonly version: ConfigVersion | undefined
}

/** The draft as this page saved or loaded it, and the version that it was begun from. */
export interface Known {
  readonly content: DraftContent | undefined
  readonly baseVersion: number | null
}

export interface OtherText {
  readonly key: 'draft' | 'version'
  readonly label: string
  /** Who made it and when. */
  readonly by: string
  readonly at: string
  readonly text: string
}

export function otherTexts({ theirs, version }: Newest, known: Known): readonly OtherText[] {
  const texts: OtherText[] = []
  if (theirs !== undefined && (known.content === undefined || !sameContent(theirs.stored.content, known.content)))
    texts.push({ key: 'draft', label: 'Their draft', by: theirs.draft.updatedBy, at: theirs.draft.updatedAt, text: joinFiles(theirs.stored.content.files) })
  if (version !== undefined && version.version > (known.baseVersion ?? 0))
    texts.push({ key: 'version', label: `Version ${version.version}`, by: version.author, at: version.createdAt, text: joinFiles(version.files) })
  return texts
}
