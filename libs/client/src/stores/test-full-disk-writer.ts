/** A process for tests: writes a small value and then one that does not fit, and says what is there afterwards. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writeFileDurably } from './write-file.ts'

const [folder = ''] = process.argv.slice(2)
const path = join(folder, 'value')
const small = new Uint8Array(30_000).fill(1)
await writeFileDurably(path, small)
let problem = 'no error'
try {
  await writeFileDurably(path, new Uint8Array(1_000_000).fill(2))
} catch (error) {
  problem = (error as NodeJS.ErrnoException).code ?? String(error)
}
const whole = Buffer.compare(await readFile(path), small) === 0
process.stdout.write(`${problem}: old value ${whole ? 'whole' : 'damaged'}, files: ${(await readdir(folder)).join(', ')}\n`)
