/** Hidden characters made visible. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { visiblePieces, visibleText } from './visible-text.ts'

it('leaves ordinary text, newlines and tabs as they are', () => {
  const text = 'läuft\tgut\n日本語 👩‍💻'.replaceAll('\u200d', '')
  expect(visiblePieces(text)).toEqual([{ text }])
})

it('shows control characters, direction changes and zero-width characters by their code points', () => {
  expect(visibleText('a\u0007b\u001b[31m')).toBe('a⟨U+0007⟩b⟨U+001B⟩[31m')
  expect(visibleText('exe\u202etxt')).toBe('exe⟨U+202E⟩txt')
  expect(visibleText('pay\u200bpal\ufeff\u2066')).toBe('pay⟨U+200B⟩pal⟨U+FEFF⟩⟨U+2066⟩')
  expect(visibleText('\u0085\u{e0041}')).toBe('⟨U+0085⟩⟨U+E0041⟩')
})

it('never lets one through, whatever the text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(visibleText(text)).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]/)
    }),
  )
})
