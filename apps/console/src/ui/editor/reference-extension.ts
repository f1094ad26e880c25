/** CodeMirror's side of `${drover:…}`: marks them, says on hover what is wrong with one, completes them. */
import { type Completion, type CompletionContext, type CompletionResult, autocompletion, startCompletion } from '@codemirror/autocomplete'
import { type Extension, type Range, StateEffect, StateField } from '@codemirror/state'
import { Decoration, type DecorationSet, type EditorView, ViewPlugin, type ViewUpdate } from '@codemirror/view'
import { type ReferenceNames, type ReferenceOption, completeReference, findReferences, noReferences } from './references.ts'

/** Tells an editor which names there are. */
export const setReferenceNames = StateEffect.define<ReferenceNames | undefined>()

/** undefined: not known, so that no name is called wrong. */
const referenceNames = StateField.define<ReferenceNames | undefined>({
  create: () => undefined,
  update: (names, transaction) => transaction.effects.findLast((effect) => effect.is(setReferenceNames))?.value ?? names,
})

const good = Decoration.mark({ class: 'cm-reference' })

function marksOf(view: EditorView): DecorationSet {
  const secrets = view.state.field(referenceNames)?.secret
  const marks: Range<Decoration>[] = []
  // Only what is in sight; a reference never spans lines.
  for (const { from, to } of view.visibleRanges)
    for (const reference of findReferences(view.state.sliceDoc(from, to), secrets)) {
      const mark =
        reference.problem === undefined ? good : Decoration.mark({ class: 'cm-reference cm-reference-wrong', attributes: { title: reference.problem } })
      marks.push(mark.range(from + reference.from, from + reference.to))
    }
  return Decoration.set(marks)
}

const marking = ViewPlugin.fromClass(
  class {
    decorations: DecorationSet
    constructor(view: EditorView) {
      this.decorations = marksOf(view)
    }
    update(update: ViewUpdate) {
      const named = update.startState.field(referenceNames) !== update.state.field(referenceNames)
      if (update.docChanged || update.viewportChanged || named) this.decorations = marksOf(update.view)
    }
  },
  { decorations: (plugin) => plugin.decorations },
)

function completions(context: CompletionContext): CompletionResult | null {
  const line = context.state.doc.lineAt(context.pos)
  const closed = /^[^\s${]*\}/.test(line.text.slice(context.pos - line.from))
  const found = completeReference(line.text.slice(0, context.pos - line.from), context.state.field(referenceNames) ?? noReferences, closed)
  if (found === undefined || found.options.length === 0) return null
  return { from: line.from + found.from, options: found.options.map(optionOf), filter: false }
}

function optionOf({ label, detail, insert }: ReferenceOption): Completion {
  return {
    label,
    detail,
    apply: (view, _completion, from, to) => {
      view.dispatch({ changes: { from, to, insert }, selection: { anchor: from + insert.length }, userEvent: 'input.complete' })
      // A kind is followed by a name, so the list goes on.
      if (/[.:]$/.test(insert)) startCompletion(view)
    },
  }
}

export const referenceMarks: Extension = [referenceNames, marking]
export const referenceCompletion: Extension = autocompletion({ override: [completions], icons: false })
