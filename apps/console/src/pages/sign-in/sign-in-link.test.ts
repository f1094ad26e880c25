/** One-time links. */
import { expect, it } from 'vitest'
import { codeFromAddress, codeFromPasted, safeNext } from './sign-in-link.ts'

it('reads the code from the hash or the query', () => {
  expect(codeFromAddress('', '#code=abc')).toBe('abc')
  expect(codeFromAddress('?code=abc', '')).toBe('abc')
  expect(codeFromAddress('?next=x', '#')).toBeUndefined()
})

it('takes a pasted link or the bare code', () => {
  expect(codeFromPasted(' http://127.0.0.1:4321/sign-in#code=abc ')).toBe('abc')
  expect(codeFromPasted('abc')).toBe('abc')
  expect(codeFromPasted(' ')).toBeUndefined()
})

it('goes only to addresses of this console after signing in', () => {
  expect(safeNext('/agents?state=failed')).toBe('/agents?state=failed')
  for (const elsewhere of ['//evil.example', '/\\evil.example', 'https://evil.example', 'javascript:alert(1)', '/sign-in?code=x', undefined])
    expect(safeNext(elsewhere)).toBe('/')
})
