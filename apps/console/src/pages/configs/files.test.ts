/** Files while they are edited. */
import type { Finding } from '@drover/api'
import { expect, it } from 'vitest'
import { fileNameError, findingsOf, freeFileName, sameFiles, sortFindings } from './files.ts'

const finding = (part: Partial<Finding>): Finding => ({ severity: 'error', code: 'x', message: 'm', ...part })

it('gives an added file a name that is free', () => {
  expect(freeFileName(['collector.yaml'])).toBe('part-2.yaml')
  expect(freeFileName(['part-2.yaml'])).toBe('part-3.yaml')
})

it('refuses a file name that is empty, taken or climbs out of its folder', () => {
  expect(fileNameError('a.yaml', ['b.yaml'])).toBeUndefined()
  expect(fileNameError(' ', [])).toBeDefined()
  expect(fileNameError('a.yaml', ['a.yaml'])).toBeDefined()
  expect(fileNameError('x/../a.yaml', [])).toBeDefined()
  expect(fileNameError('a..yaml', [])).toBeUndefined()
})

it('tells whether files were changed', () => {
  const file = { name: 'a', contentType: 'text/yaml', body: 'x' }
  expect(sameFiles([file], [{ ...file }])).toBe(true)
  expect(sameFiles([file], [{ ...file, body: 'y' }])).toBe(false)
  expect(sameFiles([file], [{ ...file, name: 'b' }])).toBe(false)
  expect(sameFiles([file], [file, file])).toBe(false)
})

it('lists errors before warnings, and each by its line', () => {
  const sorted = sortFindings([finding({ severity: 'warning', line: 1 }), finding({ line: 9 }), finding({ line: 2 })])
  expect(sorted.map(({ severity, line }) => [severity, line])).toEqual([
    ['error', 2],
    ['error', 9],
    ['warning', 1],
  ])
})

it('gives a finding that names no file to the only file there is', () => {
  const findings = [finding({ file: 'a' }), finding({ file: 'b' }), finding({})]
  expect(findingsOf(findings, 'a', false)).toHaveLength(1)
  expect(findingsOf(findings, 'a', true)).toHaveLength(2)
})
