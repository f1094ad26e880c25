/** For tests: a program as many are. Reads lines of `key=value`; `check` says whether it would, HUP makes it read again, TERM ends it. */
import { readFileSync } from 'node:fs'

const [command = '', path = ''] = process.argv.slice(2)

function read(): Map<string, string> {
  const values = new Map(
    readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line): [string, string] => [line.split('=')[0] ?? '', line.split('=')[1] ?? '']),
  )
  if (values.has('invalid')) fail(`Error: line 1: ${values.get('invalid')}`)
  return values
}

function fail(message: string): never {
  process.stderr.write(`${message}\n`)
  process.exit(2)
}

if (command === 'version') process.stdout.write('test program\nversion 1.2.3 (build 4.5)\n')
else if (command === 'check') read()
else {
  const values = read()
  if (values.has('crash')) fail(`fatal: ${values.get('crash')}`)
  process.on('SIGHUP', () => process.stdout.write(`now runs with ${read().get('name')}\n`))
  process.on('SIGTERM', () => process.exit(0))
  process.stdout.write(`runs with ${values.get('name')}\n`)
  setInterval(() => undefined, 60_000)
}
