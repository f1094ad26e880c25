/** Loaded before anything else: plants one bug into the module that it is about, in memory alone. */
import { registerHooks } from 'node:module'
import { plant, plantedBugs } from './bugs.ts'

const name = process.argv[2]
const bug = plantedBugs.find((one) => one.name === name)
if (bug === undefined) throw new Error(`there is no bug called ${name}`)

registerHooks({
  load(url, context, next) {
    const loaded = next(url, context)
    if (!url.endsWith(`/${bug.file}`)) return loaded
    const { source } = loaded
    const text = typeof source === 'string' ? source : new TextDecoder().decode(source as Uint8Array)
    return { ...loaded, source: plant(bug, text) }
  },
})
