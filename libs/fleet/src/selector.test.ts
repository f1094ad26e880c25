import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compilePattern, maxPatternLength } from './pattern.ts'
import { formatSelector, matches, parseSelector, type Selector, SelectorError, selectorKeys, type Term } from './selector.ts'

const select = (text: string, attributes: Record<string, string>): boolean =>
  matches(parseSelector(text), (key) => (Object.hasOwn(attributes, key) ? attributes[key] : undefined))
const refusal = (text: string, use?: 'filter' | 'group'): string => {
  try {
    parseSelector(text, use)
  } catch (error) {
    if (error instanceof SelectorError) return `${error.column}: ${error.message}`
    throw error
  }
  return 'accepted'
}

describe('parseSelector', () => {
  it('reads every kind of term', () => {
    expect(parseSelector('a = b and c != "d e" and e =~ "web-.*", f !~ x and g in (a, "b c") and exists(h) and not exists(i)').terms).toEqual([
      { kind: 'equals', key: 'a', value: 'b', negated: false },
      { kind: 'equals', key: 'c', value: 'd e', negated: true },
      { kind: 'matches', key: 'e', pattern: 'web-.*', negated: false },
      { kind: 'matches', key: 'f', pattern: 'x', negated: true },
      { kind: 'in', key: 'g', values: ['a', 'b c'] },
      { kind: 'exists', key: 'h', negated: false },
      { kind: 'exists', key: 'i', negated: true },
    ])
    expect(parseSelector('*').terms).toEqual([])
  })

  it('needs no spaces around signs, and keeps backslashes of patterns', () => {
    expect(formatSelector(parseSelector('host.name=web-1,x!="y"'))).toBe('host.name = web-1 and x != y')
    expect(parseSelector(String.raw`v =~ "\d+\.\d"`).terms).toEqual([{ kind: 'matches', key: 'v', pattern: String.raw`\d+\.\d`, negated: false }])
    expect(parseSelector(String.raw`v = "say \"hi\" \\ there"`).terms).toEqual([
      { kind: 'equals', key: 'v', value: String.raw`say "hi" \ there`, negated: false },
    ])
    expect(parseSelector('v =~ .*[0-9]+').terms).toEqual([{ kind: 'matches', key: 'v', pattern: '.*[0-9]+', negated: false }])
  })

  it('takes its own words as names when they are used as names', () => {
    expect(formatSelector(parseSelector('exists = 1 and in in (and, "not")'))).toBe('"exists" = 1 and "in" in ("and", "not")')
  })

  it('says what is wrong and in which column', () => {
    expect(refusal('')).toBe('1: the selector is empty; * selects every agent')
    expect(refusal('a')).toBe('2: expected =, !=, =~, !~ or in after a, found the end')
    expect(refusal('a = ')).toBe('5: expected a value after =, found the end; quote values with spaces or signs')
    expect(refusal('a == b')).toBe('3: write = with one equals sign')
    expect(refusal('a = b c = d')).toBe('7: expected "and" or the end, found "c"')
    expect(refusal('a = b or c = d')).toBe('7: expected "and" or the end, found "or"')
    expect(refusal('a = b and')).toBe('10: expected the name of an attribute or label, found the end')
    expect(refusal('a in (b c)')).toBe('9: expected a comma or ) in the list, found "c"')
    expect(refusal('a in ()')).toBe('7: expected a value in the list, found ")"')
    expect(refusal('not a = b')).toBe('5: after "not" comes exists(key); for a value use !=')
    expect(refusal('a = "b')).toBe('5: the quote is not closed')
    expect(refusal('* and a = b')).toBe('3: * selects every agent and stands alone')
    expect(refusal('a = b;')).toBe('6: ";" has no meaning here; quote names and values that hold it')
    expect(refusal('label. = x')).toBe('1: a label has a name: label.<name>')
    expect(refusal('"😀" = 1 and ? = 2')).toBe('13: "?" has no meaning here; quote names and values that hold it')
  })

  it('names the place of a regular expression that is not valid', () => {
    expect(refusal('a = 1 and b =~ "(x"')).toBe('16: the regular expression is not valid: missing closing ): `(x`')
    expect(refusal(String.raw`b =~ "(a)\1"`)).toMatch(/^6: the regular expression is not valid: invalid escape sequence/)
    expect(refusal(`b =~ "${'x'.repeat(maxPatternLength + 1)}"`)).toBe('6: a regular expression has at most 512 characters')
  })

  it('bounds length, terms and the size of patterns', () => {
    expect(refusal(`a = ${'x'.repeat(5000)}`)).toMatch(/^4097: a selector has at most 4096 characters/)
    expect(refusal(Array.from({ length: 101 }, () => 'a=b').join(','))).toMatch(/^401: a selector has at most 100 terms/)
    expect(refusal('a =~ "((a{100}){100}){100}"')).toMatch(/^6: the regular expression is not valid: invalid repeat count/)
    expect(refusal('a =~ "(a{500}){2}(b{500}){2}(c{500}){2}"')).toMatch(/^6: the regular expression is too large/)
  })

  it('knows facts about agents in filters, and refuses them for groups', () => {
    expect(refusal('drover.connected = true')).toBe('accepted')
    expect(refusal('a = b and drover.up = true')).toMatch(/^11: Drover knows no drover.up/)
    expect(refusal('drover.config = failed', 'group')).toMatch(/^1: drover.config changes with what Drover does/)
    expect(refusal('not exists(drover.group)', 'group')).toMatch(/^1: drover.group changes/)
  })
})

describe('matches', () => {
  it('follows each operator', () => {
    const web = { 'host.name': 'web-1', 'label.site': 'ber' }
    for (const text of [
      'host.name = web-1',
      'host.name != web-2',
      'host.name =~ "web-.*"',
      'host.name !~ "db-.*"',
      'label.site in (ham, ber)',
      'exists(host.name)',
      'not exists(x)',
      '*',
    ]) {
      expect([text, select(text, web)]).toEqual([text, true])
    }
    for (const text of [
      'host.name = web-2',
      'host.name != web-1',
      'host.name =~ "db-.*"',
      'host.name !~ "web-.*"',
      'label.site in (ham, muc)',
      'not exists(host.name)',
      'exists(x)',
    ]) {
      expect([text, select(text, web)]).toEqual([text, false])
    }
  })

  it('takes an absent key for different from everything', () => {
    expect(['x = ""', 'x =~ ".*"', 'x in ("")', 'exists(x)'].map((text) => select(text, {}))).toEqual([false, false, false, false])
    expect(['x != a', 'x !~ ".*"', 'not exists(x)'].map((text) => select(text, {}))).toEqual([true, true, true])
    expect(select('x = "" and exists(x)', { x: '' })).toBe(true)
  })

  it('matches patterns against the whole value', () => {
    expect(select('v =~ "web"', { v: 'web-1' })).toBe(false)
    expect(select('v =~ "a|ab"', { v: 'ab' })).toBe(true)
    expect(select('v =~ "(?i)WEB-\\d+"', { v: 'web-12' })).toBe(true)
  })

  it('wants all terms to hold', () => {
    expect(select('a = 1 and b = 2', { a: '1', b: '2' })).toBe(true)
    expect(select('a = 1 and b = 2', { a: '1' })).toBe(false)
  })

  it('works on a selector that went through JSON', () => {
    expect(matches(JSON.parse(JSON.stringify(parseSelector('a =~ "x+"'))), () => 'xxx')).toBe(true)
  })
})

describe('compilePattern', () => {
  /** How often the engine looks at the input. */
  const steps = (pattern: string, length: number): number => {
    let looks = 0
    const input = new Proxy(new Uint8Array(length).fill(97), {
      get(target, property) {
        if (typeof property === 'string' && /^\d+$/.test(property)) looks++
        const value: unknown = Reflect.get(target, property)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    expect(compilePattern(pattern).test(input)).toBe(false)
    return looks
  }

  it('looks at each character a fixed number of times, where backtracking would try every split', () => {
    for (const pattern of ['(a+)+b', '(a|aa)+b', '(a*)*b', '(a|a?)+b', 'a*a*a*a*a*b', '(.*)*x', '(a?){50}a{50}b']) {
      const [short, long] = [steps(pattern, 500), steps(pattern, 2000)]
      expect(short).toBeGreaterThan(0)
      expect(short).toBeLessThanOrEqual(500 * 10)
      // Four times the text is four times the work.
      expect(long).toBeLessThanOrEqual(short * 4.5)
    }
  })
})

describe('selectorKeys', () => {
  it('names each key once', () => {
    expect(selectorKeys(parseSelector('a = 1 and b in (x) and not exists(a) and c !~ y'))).toEqual(['a', 'b', 'c'])
    expect(selectorKeys(parseSelector('*'))).toEqual([])
  })
})

const key = fc
  .oneof(fc.constantFrom('host.name', 'label.site', 'in', 'and', 'exists', 'not'), fc.string({ minLength: 1, maxLength: 12 }))
  .filter((text) => text !== 'label.' && !text.startsWith('drover.'))
const word = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.string({ unit: 'grapheme', maxLength: 6 }),
  fc.constantFrom('and', '*', '"', "'", '\\', '\\"', 'a b', ''),
)
const term: fc.Arbitrary<Term> = fc.oneof(
  fc.record({ kind: fc.constant('equals' as const), key, value: word, negated: fc.boolean() }),
  fc.record({ kind: fc.constant('matches' as const), key, pattern: fc.constantFrom('web-.*', String.raw`\d+\\"`, 'a|b', '', '[,()]'), negated: fc.boolean() }),
  fc.record({ kind: fc.constant('in' as const), key, values: fc.array(word, { minLength: 1, maxLength: 4 }) }),
  fc.record({ kind: fc.constant('exists' as const), key, negated: fc.boolean() }),
)
const selector: fc.Arbitrary<Selector> = fc.record({ terms: fc.array(term, { maxLength: 6 }) })

describe('formatSelector', () => {
  it('writes text that reads back as the same selector', () => {
    fc.assert(
      fc.property(selector, (value) => {
        expect(parseSelector(formatSelector(value))).toEqual(value)
      }),
    )
  })

  it('is what it would write again', () => {
    fc.assert(
      fc.property(selector, (value) => {
        const text = formatSelector(value)
        expect(formatSelector(parseSelector(text))).toBe(text)
      }),
    )
  })

  it('never fails in another way than by SelectorError, whatever the text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[a-c =!~,()"'*\\]{0,30}$/)), (text) => {
        refusal(text)
      }),
    )
  })
})
