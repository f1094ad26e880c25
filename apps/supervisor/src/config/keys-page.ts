/** The documentation of all keys, made from them. */
import { basicKeys, bearerKeys } from './auth.ts'
import type { Key, Keys } from './key.ts'
import { keys } from './keys.ts'

const origins: Readonly<Record<Key['origin'], string>> = { stock: '', newer: 'newer', drover: 'Drover' }

const sections = [
  ['server', 'The connection to the Server'],
  ['capabilities', 'What the Server may do, and what it is told'],
  ['agent', 'The agent'],
  ['storage', 'State on disk'],
  ['healthcheck', 'Health endpoint'],
  ['telemetry', "The supervisor's own telemetry"],
  ['extensions', 'Authentication'],
  ['drover', 'Keys that the stock supervisor does not have'],
] as const

const head = `# Keys of the supervisor's file

Made from the program: \`vitest run apps/supervisor/src/config/keys-page.test.ts --update\` writes this page anew. See [supervisor.md](supervisor.md)
for how to move from the stock supervisor.

Time spans are written as Go has them (\`5s\`, \`1m30s\`, \`500ms\`). Relative paths start where the supervisor was started. \`\${env:NAME}\`, \`\${NAME}\`,
\`\${env:NAME:-default}\`, \`\${file:PATH}\` and \`\${yaml:TEXT}\` are filled in everywhere but in names of keys; \`$$\` is one \`$\`.

The last column says where a key comes from: nothing, the stock supervisor v0.149; *newer*, later versions of it; *Drover*, here alone.
`

export function keysPage(): string {
  const parts = sections.map(([name, title]) => `## ${title}\n\n${table(pick(keys, name))}`)
  return `${head}\n${parts.join('\n')}\n${extensions()}`
}

function pick(all: Keys, section: string): Keys {
  return Object.fromEntries(Object.entries(all).filter(([name]) => name === section || name.startsWith(`${section}.`)))
}

function extensions(): string {
  const named = (type: string, all: Keys): Keys => Object.fromEntries(Object.entries(all).map(([name, key]) => [`extensions.${type}.${name}`, key]))
  return `### Extensions for \`server.auth\`\n\n${table({ ...named('bearertokenauth', bearerKeys), ...named('basicauth', basicKeys) })}`
}

function table(rows: Keys): string {
  const lines = Object.entries(rows).map(([name, key]) => `| \`${name}\` | ${key.type.name} | ${defaultOf(key)} | ${meaningOf(key)} | ${origins[key.origin]} |`)
  return `| Key | Takes | Default | Meaning | From |\n| --- | --- | --- | --- | --- |\n${lines.map(escapeLine).join('\n')}\n`
}

function defaultOf(key: Key): string {
  if (key.shownDefault !== undefined) return key.shownDefault
  return key.fallback === undefined ? '' : key.type.show(key.fallback)
}

function meaningOf({ meaning, withoutEffect }: Key): string {
  return withoutEffect === undefined ? meaning : `${meaning} *Has no effect: ${withoutEffect}.*`
}

/** Angle brackets and the like are plain text in a table. */
const escapeLine = (line: string) => line.replaceAll('<', '&lt;')
