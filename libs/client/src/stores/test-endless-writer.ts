/** A process for tests: writes one value after another until it is killed, and says after each which one is written. */
import { folderStore } from './folder-store.ts'
import { numberedValue } from './test-numbered-value.ts'

const [folder = '', first = '0'] = process.argv.slice(2)
const store = folderStore(folder)
for (let number = Number(first); ; number += 1) {
  await store.write('value', numberedValue(number))
  process.stdout.write(`${number}\n`)
}
