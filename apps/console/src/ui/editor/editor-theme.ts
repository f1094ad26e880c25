/** How CodeMirror looks here: colours come from CSS variables, so that one theme serves light and dark. */
import { HighlightStyle, syntaxHighlighting } from '@codemirror/language'
import { EditorView } from '@codemirror/view'
import { tags } from '@lezer/highlight'

const highlight = HighlightStyle.define([
  { tag: [tags.definition(tags.propertyName), tags.propertyName], color: 'var(--syntax-key)' },
  { tag: [tags.string, tags.special(tags.string)], color: 'var(--syntax-string)' },
  { tag: [tags.number, tags.bool, tags.null, tags.keyword], color: 'var(--syntax-literal)' },
  { tag: tags.comment, color: 'var(--syntax-comment)', fontStyle: 'italic' },
  { tag: [tags.labelName, tags.typeName, tags.meta], color: 'var(--syntax-literal)' },
  { tag: [tags.separator, tags.punctuation, tags.squareBracket, tags.brace], color: 'var(--mantine-color-dimmed)' },
])

export const editorTheme = [
  syntaxHighlighting(highlight),
  EditorView.theme({
    '&': { color: 'var(--mantine-color-text)', backgroundColor: 'var(--surface)', fontSize: '0.78125rem', height: '100%' },
    '&.cm-focused': { outline: '2px solid var(--mantine-color-indigo-5)', outlineOffset: '-2px' },
    '.cm-scroller': { fontFamily: 'var(--mantine-font-family-monospace)', lineHeight: '1.6' },
    '.cm-content': { caretColor: 'var(--mantine-color-text)', padding: '8px 0' },
    '.cm-cursor': { borderLeftColor: 'var(--mantine-color-text)' },
    '.cm-gutters': { backgroundColor: 'var(--surface)', color: 'var(--mantine-color-dimmed)', borderRight: '1px solid var(--line)' },
    '.cm-activeLine': { backgroundColor: 'var(--editor-line)' },
    '.cm-activeLineGutter': { backgroundColor: 'var(--editor-line)', color: 'var(--mantine-color-text)' },
    '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': { backgroundColor: 'var(--editor-selection)' },
    '.cm-tooltip': { backgroundColor: 'var(--surface)', color: 'var(--mantine-color-text)', border: '1px solid var(--line-strong)', borderRadius: '5px' },
    '.cm-panels': { backgroundColor: 'var(--surface-raised)', color: 'var(--mantine-color-text)' },
    '.cm-diagnostic': { padding: '4px 8px', fontFamily: 'var(--mantine-font-family)', fontSize: '0.78125rem' },
    '.cm-reference, .cm-reference span': { color: 'var(--syntax-reference)' },
    '.cm-reference': { backgroundColor: 'var(--syntax-reference-fill)', borderRadius: '3px' },
    '.cm-reference-wrong': { textDecoration: 'underline wavy var(--warn-mark)', textUnderlineOffset: '3px' },
    '.cm-tooltip.cm-tooltip-autocomplete > ul': { fontFamily: 'var(--mantine-font-family-monospace)', fontSize: '0.75rem' },
    '.cm-tooltip-autocomplete > ul > li[aria-selected]': { backgroundColor: 'var(--surface-selected)', color: 'var(--mantine-color-text)' },
    '.cm-completionDetail': { color: 'var(--mantine-color-dimmed)', fontStyle: 'normal', fontFamily: 'var(--mantine-font-family)' },
    '.cm-changedLine, &.cm-merge-b .cm-changedLine': { backgroundColor: 'var(--diff-added)' },
    '&.cm-merge-a .cm-changedLine, .cm-deletedChunk': { backgroundColor: 'var(--diff-removed)' },
    '&.cm-merge-a .cm-changedText, .cm-deletedChunk .cm-deletedText': { background: 'var(--diff-removed-strong)' },
    '&.cm-merge-b .cm-changedText, .cm-changedText': { background: 'var(--diff-added-strong)' },
    '.cm-collapsedLines': { background: 'var(--surface-raised)', color: 'var(--mantine-color-dimmed)', fontSize: '0.75rem' },
    // The default marks are missing from many fonts.
    '.cm-collapsedLines:before, .cm-collapsedLines:after': { content: '"⋯"' },
  }),
]
