/** Makes the stub a single executable: a supervisor takes one path, not a command line. */
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Writes `<folder>/otelcol-stub` and returns its path. It replaces itself by Node, so signals and the process id are the stub's own. */
export async function stubCollectorExecutable(folder: string): Promise<string> {
  const file = join(folder, 'otelcol-stub')
  const main = fileURLToPath(new URL('./main.ts', import.meta.url))
  await mkdir(folder, { recursive: true })
  // with the variable the first file, too, comes from the cache, and no start has to strip types
  const cache = `NODE_COMPILE_CACHE="\${NODE_COMPILE_CACHE:-${join(tmpdir(), 'node-compile-cache')}}"`
  await writeFile(file, `#!/bin/sh\nexport ${cache}\nexec ${quote(process.execPath)} --disable-warning=ExperimentalWarning ${quote(main)} "$@"\n`)
  await chmod(file, 0o755)
  return file
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
