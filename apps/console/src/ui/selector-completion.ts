/** What could come next in a selector such as `service.name = otelcol and label.site in (ber, ham)`. Pure. */

export interface AttributeKey {
  readonly key: string
  readonly agents: number
  readonly values: readonly string[]
}

export interface Completion {
  /** Where the word that is being typed starts; an option replaces the text from here to the caret. */
  readonly from: number
  readonly options: readonly { readonly insert: string; readonly label: string; readonly detail: string }[]
}

/** Facts of Drover's own that a filter may ask for; a group's selector may not. */
export const factKeys: readonly AttributeKey[] = [
  { key: 'drover.connected', agents: 0, values: ['true', 'false'] },
  { key: 'drover.healthy', agents: 0, values: ['true', 'false'] },
  { key: 'drover.config', agents: 0, values: ['applied', 'applying', 'failed', 'pending', 'restored', 'timedOut', 'unmanaged', 'notAccepted', 'offered'] },
  { key: 'drover.group', agents: 0, values: [] },
]

const operators = [
  ['=', 'is'],
  ['!=', 'is not, or is absent'],
  ['=~', 'matches the regular expression'],
  ['!~', 'does not match'],
  ['in', 'is one of'],
] as const
const MOST_OPTIONS = 12

type Expect = 'key' | 'operator' | 'value' | 'listValue' | 'open' | 'existsKey' | 'close' | 'join'
interface State {
  readonly expect: Expect
  readonly key: string
  readonly inList: boolean
}

const tokens = /\s*(?:("(?:[^"\\]|\\.)*"?)|(=~|!=|!~|=|\(|\)|,)|([^\s,()=!~"]+))/y

export function completeSelector(text: string, caret: number, keys: readonly AttributeKey[]): Completion {
  const before = text.slice(0, caret)
  const word = /(?:"(?:[^"\\]|\\.)*|[^\s,()=!~"]*)$/.exec(before)?.[0] ?? ''
  // An odd quote: the word is a quoted value that is still open.
  const partial = word.startsWith('"') && !hasOpenQuote(before) ? '' : word
  const from = caret - partial.length
  const state = stateAfter(before.slice(0, from))
  return { from, options: optionsFor(state, partial, keys).slice(0, MOST_OPTIONS) }
}

function hasOpenQuote(text: string): boolean {
  return (text.replaceAll(/\\./g, '').match(/"/g)?.length ?? 0) % 2 === 1
}

function stateAfter(text: string): State {
  let state: State = { expect: 'key', key: '', inList: false }
  tokens.lastIndex = 0
  for (let match = tokens.exec(text); match !== null && match[0].trim() !== ''; match = tokens.exec(text))
    state = step(state, match[1] ?? match[2] ?? match[3] ?? '')
  return state
}

function step(state: State, token: string): State {
  switch (state.expect) {
    case 'key':
      if (token === 'not' || token === ',') return state
      return token === 'exists' ? { ...state, expect: 'open', key: 'exists' } : { expect: 'operator', key: token, inList: false }
    case 'operator':
      return token === 'in' ? { ...state, expect: 'open' } : token === 'not' ? state : { ...state, expect: 'value' }
    case 'open':
      return state.key === 'exists' ? { ...state, expect: 'existsKey' } : { ...state, expect: 'listValue', inList: true }
    case 'existsKey':
      return { ...state, expect: 'close' }
    case 'value':
      return { ...state, expect: 'join' }
    case 'listValue':
      return token === ')' ? { ...state, expect: 'join', inList: false } : { ...state, expect: 'close' }
    case 'close':
      return token === ',' && state.inList ? { ...state, expect: 'listValue' } : { ...state, expect: 'join', inList: false }
    case 'join':
      return { expect: 'key', key: '', inList: false }
    default:
      return state.expect satisfies never
  }
}

function optionsFor(state: State, partial: string, keys: readonly AttributeKey[]): Completion['options'] {
  const needle = partial.replace(/^"/, '').toLowerCase()
  const fits = (option: string) => option.toLowerCase().includes(needle)
  switch (state.expect) {
    case 'key':
    case 'existsKey': {
      const found = keys
        .filter(({ key }) => fits(key))
        .map(({ key, agents }) => ({ insert: state.expect === 'key' ? `${key} ` : `${key})`, label: key, detail: agents > 0 ? `${agents} agents` : '' }))
      const words =
        state.expect === 'key' && needle !== '' && 'exists'.startsWith(needle) ? [{ insert: 'exists(', label: 'exists(…)', detail: 'has the attribute' }] : []
      return [...found, ...words]
    }
    case 'operator':
      return operators
        .filter(([operator]) => operator.startsWith(needle))
        .map(([operator, detail]) => ({ insert: operator === 'in' ? 'in (' : `${operator} `, label: operator, detail }))
    case 'open':
      return [{ insert: '(', label: '(', detail: '' }]
    case 'value':
    case 'listValue':
      return (keys.find(({ key }) => key === state.key)?.values ?? [])
        .filter(fits)
        .map((value) => ({ insert: `${quoteValue(value)}${state.inList ? '' : ' '}`, label: value, detail: '' }))
    case 'close':
      return [{ insert: ')', label: ')', detail: 'end of the list' }, ...(state.inList ? [{ insert: ', ', label: ',', detail: 'one more value' }] : [])]
    case 'join':
      return 'and'.startsWith(needle) ? [{ insert: 'and ', label: 'and', detail: 'one more condition' }] : []
    default:
      return state.expect satisfies never
  }
}

/** A value as it stands in a selector: bare when it can be. */
export function quoteValue(value: string): string {
  return /^[A-Za-z0-9_./:@+-]+$/.test(value) && !['and', 'in', 'not', 'exists'].includes(value) ? value : `"${value.replaceAll(/["\\]/g, '\\$&')}"`
}
