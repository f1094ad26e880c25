/** References to what Drover fills in. */
import { describe, expect, it } from 'vitest'
import { completeReference, findReferences } from './references.ts'

const names = { agent: ['host.name', 'os.type'], label: ['site'], var: ['endpoint'], secret: ['api_key'] }

describe('references in a text', () => {
  const problems = (text: string) => findReferences(text, names.secret).map(({ problem }) => problem)
  const places = (text: string) => findReferences(text, undefined).map(({ from, to }) => text.slice(from, to))

  it('are found where they stand, and the Collector’s own are left alone', () => {
    expect(places('a: ${drover:var.x} ${env:HOME} ${drover:agent.host.name}')).toEqual(['${drover:var.x}', '${drover:agent.host.name}'])
  })

  it('are none when their dollar is escaped, but are when the one before them is', () => {
    expect(places('$${drover:var.x}')).toEqual([])
    expect(places('$$${drover:var.x}')).toEqual(['${drover:var.x}'])
  })

  it('say what is wrong with them', () => {
    expect(problems('${drover:var.x}')).toEqual([undefined])
    expect(problems('${drover:vars.x}')[0]).toMatch(/agent, label, var or secret/)
    expect(problems('${drover:var.}')[0]).toMatch(/variable/)
    expect(problems('${drover:secret.nope}')).toEqual(['There is no secret nope yet'])
    expect(problems('${drover:secret.api_key}')).toEqual([undefined])
  })
})

describe('completion of a reference', () => {
  const complete = (before: string, closed = false) => {
    const found = completeReference(before, names, closed)
    return found?.options.map(({ insert }) => before.slice(0, found.from) + insert)
  }

  it('begins after the brace and leads to the name', () => {
    expect(complete('a: ${')).toEqual(['a: ${drover:'])
    expect(complete('a: ${dr')).toEqual(['a: ${drover:'])
    expect(complete('a: ${drover:')).toEqual(['a: ${drover:agent.', 'a: ${drover:label.', 'a: ${drover:var.', 'a: ${drover:secret.'])
    expect(complete('a: ${drover:se')).toEqual(['a: ${drover:secret.'])
    expect(complete('a: ${drover:secret.')).toEqual(['a: ${drover:secret.api_key}'])
    expect(complete('a: ${drover:agent.host')).toEqual(['a: ${drover:agent.host.name}'])
  })

  it('does not close what is closed already', () => {
    expect(complete('${drover:var.en', true)).toEqual(['${drover:var.endpoint'])
  })

  it('keeps away from anything else', () => {
    expect(complete('a: b')).toBeUndefined()
    expect(complete('a: ${env:HO')).toBeUndefined()
    expect(complete('a: $${drover:')).toBeUndefined()
    expect(complete('a: ${drover:var.x} b')).toBeUndefined()
    expect(complete('a: ${drover:nope.')).toBeUndefined()
  })
})
