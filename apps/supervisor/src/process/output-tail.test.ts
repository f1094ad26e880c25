import { expect, it } from 'vitest'
import { OutputTail } from './output-tail.ts'

const tailOf = (maxBytes: number, ...chunks: readonly string[]): string => {
  const tail = new OutputTail(maxBytes)
  for (const chunk of chunks) tail.push(Buffer.from(chunk))
  return tail.text()
}

it('keeps everything while it fits', () => {
  expect(tailOf(8, 'ab\n', 'cd\n')).toBe('ab\ncd\n')
  expect(tailOf(6, 'ab\n', 'cd\n')).toBe('ab\ncd\n')
})

it('keeps the end from the start of a line, however it was cut into chunks', () => {
  const lines = 'one\ntwo\nthree\nfour\n'
  for (let at = 0; at <= lines.length; at++) expect(tailOf(12, lines.slice(0, at), lines.slice(at))).toBe('three\nfour\n')
  expect(tailOf(12, ...lines.split(''))).toBe('three\nfour\n')
})

it('keeps the end of a chunk larger than itself', () => {
  expect(tailOf(4, 'abc\ndefghij')).toBe('ghij')
})

it('begins anew when it is cleared', () => {
  const tail = new OutputTail(4)
  tail.push(Buffer.from('abcdef'))
  tail.clear()
  tail.push(Buffer.from('xy'))
  expect(tail.text()).toBe('xy')
})
