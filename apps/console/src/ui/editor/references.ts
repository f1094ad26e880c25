/** `${drover:…}` in a configuration: where it stands, whether its name can be one, and what could come next. Pure. */

/** What Drover fills in, by kind. */
export interface ReferenceNames {
  /** Attributes that agents report. */
  readonly agent: readonly string[]
  readonly label: readonly string[]
  /** Variables of groups. */
  readonly var: readonly string[]
  readonly secret: readonly string[]
}

export const noReferences: ReferenceNames = { agent: [], label: [], var: [], secret: [] }

const kinds: Readonly<Record<keyof ReferenceNames, string>> = {
  agent: 'attribute that the agent reports',
  label: 'label of the agent',
  var: 'variable of the group',
  secret: 'secret',
}
const isKind = (text: string): text is keyof ReferenceNames => Object.hasOwn(kinds, text)

export interface Reference {
  readonly from: number
  readonly to: number
  /** Why nothing would be filled in; undefined: it has the form of a name. */
  readonly problem: string | undefined
}

/** A `$` before it escapes it, as the Collector does. */
const pattern = /(?<=(?:^|[^$])(?:\$\$)*)\$\{drover:([^}\n]*)\}/g

export function findReferences(text: string, secrets: readonly string[] | undefined): readonly Reference[] {
  return [...text.matchAll(pattern)].map((match) => ({
    from: match.index,
    to: match.index + match[0].length,
    problem: problemOf(match[1] ?? '', secrets),
  }))
}

/** `secrets` undefined: which there are is not known. */
function problemOf(inside: string, secrets: readonly string[] | undefined): string | undefined {
  const [, kind = '', name = ''] = /^([^.]*)\.?(.*)$/.exec(inside) ?? []
  if (!isKind(kind)) return `Write agent, label, var or secret after drover:, not “${kind}”`
  if (name === '') return `Name the ${kinds[kind]} after ${kind}.`
  if (kind === 'secret' && secrets !== undefined && !secrets.includes(name)) return `There is no secret ${name} yet`
  return undefined
}

export interface ReferenceOption {
  readonly label: string
  readonly detail: string
  /** What replaces the text from `from` to the caret. */
  readonly insert: string
}

/** What could stand at the end of `before`, the text of a line up to the caret. `closed`: a brace follows already. */
export function completeReference(
  before: string,
  names: ReferenceNames,
  closed: boolean,
): { readonly from: number; readonly options: readonly ReferenceOption[] } | undefined {
  const match = /(?<=(?:^|[^$])(?:\$\$)*)\$\{([^}]*)$/.exec(before)
  if (match === null) return undefined
  const inside = match[1] ?? ''
  const start = match.index + 2
  const end = closed ? '' : '}'
  if (!inside.startsWith('drover:')) {
    if (!'drover:'.startsWith(inside)) return undefined
    return { from: start, options: [{ label: 'drover:', detail: 'filled in by Drover', insert: 'drover:' }] }
  }
  const after = inside.slice('drover:'.length)
  const dot = after.indexOf('.')
  if (dot < 0) {
    const options = Object.entries(kinds).map(([kind, detail]) => ({ label: `${kind}.`, detail, insert: `${kind}.` }))
    return { from: start + 'drover:'.length, options: options.filter(({ label }) => label.startsWith(after)) }
  }
  const kind = after.slice(0, dot)
  if (!isKind(kind)) return undefined
  const typed = after.slice(dot + 1).toLowerCase()
  const options = names[kind]
    .filter((name) => name.toLowerCase().includes(typed))
    .map((name) => ({ label: name, detail: kinds[kind], insert: `${name}${end}` }))
  return { from: start + 'drover:'.length + dot + 1, options }
}
