/** A YAML editor on CodeMirror: findings as marks, Tab leaves the editor (Ctrl-M switches that), position can be set from outside. */
import { defaultKeymap, history, historyKeymap, toggleTabFocusMode } from '@codemirror/commands'
import { yaml } from '@codemirror/lang-yaml'
import { bracketMatching, foldGutter, foldKeymap, indentOnInput, indentUnit } from '@codemirror/language'
import { type Diagnostic, lintGutter, lintKeymap, setDiagnostics } from '@codemirror/lint'
import { highlightSelectionMatches, searchKeymap } from '@codemirror/search'
import { EditorState } from '@codemirror/state'
import { EditorView, drawSelection, highlightActiveLine, highlightActiveLineGutter, highlightSpecialChars, keymap, lineNumbers } from '@codemirror/view'
import type { Finding } from '@drover/api'
import { useEffect, useImperativeHandle, useRef } from 'react'
import './editor.css'
import { editorTheme } from './editor-theme.ts'
import { offsetOf } from './position.ts'
import { referenceCompletion, referenceMarks, setReferenceNames } from './reference-extension.ts'
import type { ReferenceNames } from './references.ts'

export interface EditorHandle {
  /** Moves caret and view there; counted from 1. */
  goTo(line: number, column: number): void
}

interface Props {
  readonly label: string
  readonly value: string
  readonly onChange?: (value: string) => void
  readonly findings?: readonly Finding[]
  readonly handle?: { current: EditorHandle | null }
  /** What `${drover:…}` can name; absent: not known yet. */
  readonly references?: ReferenceNames | undefined
  /** Take a fixed share of the window; otherwise as high as the text. */
  readonly fill?: boolean
}

export function YamlEditor({ label, value, onChange, findings, handle, references, fill = false }: Props) {
  const place = useRef<HTMLDivElement>(null)
  const view = useRef<EditorView | undefined>(undefined)
  const latest = useRef({ onChange, value, references })
  useEffect(() => {
    latest.current = { onChange, value, references }
  })
  const readOnly = onChange === undefined
  useEffect(() => {
    if (place.current === null) return
    const state = EditorState.create({ doc: latest.current.value, extensions: editorExtensions(label, readOnly, (text) => latest.current.onChange?.(text)) })
    const made = new EditorView({ state, parent: place.current })
    view.current = made
    made.dispatch({ effects: setReferenceNames.of(latest.current.references) })
    return () => {
      view.current = undefined
      made.destroy()
    }
  }, [label, readOnly])
  useEffect(() => {
    const editor = view.current
    if (editor === undefined || editor.state.doc.toString() === value) return
    editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: value } })
  }, [value])
  useEffect(() => {
    const editor = view.current
    if (editor !== undefined && findings !== undefined) editor.dispatch(setDiagnostics(editor.state, diagnosticsOf(findings, editor.state)))
  }, [findings])
  useEffect(() => {
    view.current?.dispatch({ effects: setReferenceNames.of(references) })
  }, [references])
  useImperativeHandle(handle, () => ({
    goTo: (line, column) => {
      const editor = view.current
      if (editor === undefined) return
      const at = offsetOf(editor.state.doc, line, column)
      editor.dispatch({ selection: { anchor: at }, effects: EditorView.scrollIntoView(at, { y: 'center' }) })
      editor.focus()
    },
  }))
  return <div ref={place} className="editor" data-fill={fill || undefined} data-auto={!fill || undefined} />
}

function editorExtensions(label: string, readOnly: boolean, onChange: (text: string) => void) {
  const reading = [
    lineNumbers(),
    foldGutter(),
    highlightSpecialChars(),
    drawSelection(),
    bracketMatching(),
    yaml(),
    referenceMarks,
    editorTheme,
    EditorView.lineWrapping,
    EditorView.contentAttributes.of({ 'aria-label': label, tabindex: '0' }),
  ]
  const keys = keymap.of([...defaultKeymap, ...searchKeymap, ...foldKeymap, ...historyKeymap, ...lintKeymap, { key: 'Ctrl-m', run: toggleTabFocusMode }])
  // Read-only, but still focusable: its text can be selected and scrolled with the keyboard.
  if (readOnly) return [...reading, keys, EditorState.readOnly.of(true)]
  return [
    ...reading,
    history(),
    indentOnInput(),
    indentUnit.of('  '),
    EditorState.tabSize.of(2),
    highlightActiveLine(),
    highlightActiveLineGutter(),
    highlightSelectionMatches(),
    referenceCompletion,
    lintGutter(),
    keys,
    EditorView.updateListener.of((update) => {
      if (update.docChanged) onChange(update.state.doc.toString())
    }),
  ]
}

function diagnosticsOf(findings: readonly Finding[], state: EditorState): Diagnostic[] {
  return findings
    .filter((finding) => finding.line !== undefined)
    .map((finding) => {
      const from = offsetOf(state.doc, finding.line ?? 1, finding.column ?? 1)
      const word = state.wordAt(from)
      return { from, to: word?.to ?? state.doc.lineAt(from).to, severity: finding.severity, message: finding.message, source: finding.code }
    })
}
