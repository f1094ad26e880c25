/** Two texts beside each other, or in one column, with what differs marked. */
import { yaml } from '@codemirror/lang-yaml'
import { MergeView, unifiedMergeView } from '@codemirror/merge'
import { EditorState } from '@codemirror/state'
import { EditorView, lineNumbers } from '@codemirror/view'
import { useMediaQuery } from '@mantine/hooks'
import { useEffect, useRef } from 'react'
import './editor.css'
import { editorTheme } from './editor-theme.ts'

export interface DiffSide {
  readonly label: string
  readonly text: string
}

export function DiffView({ before, after }: { readonly before: DiffSide; readonly after: DiffSide }) {
  const place = useRef<HTMLDivElement>(null)
  const sideBySide = useMediaQuery('(min-width: 900px)', true)
  const equal = before.text === after.text
  useEffect(() => {
    if (place.current === null || equal) return
    const parent = place.current
    const view = sideBySide ? createMergeView(parent, before, after) : createUnifiedView(parent, before, after)
    return () => view.destroy()
  }, [before, after, sideBySide, equal])
  if (equal) return <p className="dimmed">No difference.</p>
  return (
    <div className="diff">
      <div className="diff-heads" data-unified={!sideBySide || undefined}>
        <span>{sideBySide ? before.label : `${before.label} → ${after.label}`}</span>
        {sideBySide && <span>{after.label}</span>}
      </div>
      <div ref={place} />
    </div>
  )
}

const collapseUnchanged = { margin: 4, minSize: 8 }

const extensionsFor = (label: string) => [
  lineNumbers(),
  yaml(),
  editorTheme,
  EditorView.lineWrapping,
  EditorState.readOnly.of(true),
  EditorView.contentAttributes.of({ 'aria-label': label, tabindex: '0' }),
]

function createMergeView(parent: HTMLElement, before: DiffSide, after: DiffSide): { destroy(): void } {
  return new MergeView({
    parent,
    a: { doc: before.text, extensions: extensionsFor(before.label) },
    b: { doc: after.text, extensions: extensionsFor(after.label) },
    collapseUnchanged,
    gutter: true,
  })
}

function createUnifiedView(parent: HTMLElement, before: DiffSide, after: DiffSide): { destroy(): void } {
  return new EditorView({
    parent,
    state: EditorState.create({
      doc: after.text,
      extensions: [...extensionsFor(after.label), unifiedMergeView({ original: before.text, mergeControls: false, collapseUnchanged })],
    }),
  })
}
