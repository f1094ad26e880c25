/** Whether two selectors are the same text: the server writes them in its own way, so spaces outside of quotes are no difference. */

const token = /"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[^\s"'=!<>~(),]+|\S/g

export function isSameSelector(a: string, b: string): boolean {
  return tokensOf(a) === tokensOf(b)
}

function tokensOf(selector: string): string {
  return (selector.match(token) ?? []).join(' ')
}
