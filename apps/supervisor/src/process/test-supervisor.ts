/** For tests: a supervisor that can be killed. Arguments: storage directory, script of the shell. Says the agent's pid when it runs. */
import { systemClock } from '@drover/server'
import { AgentOutput } from './agent-output.ts'
import { AgentProcess } from './agent-process.ts'

const [storageDirectory = '', script = ''] = process.argv.slice(2)
const output = new AgentOutput({ storageDirectory, passthrough: false, maxFileBytes: 1_000_000, maxFiles: 2, snippetKib: 0, log: () => undefined })
const onUnexpectedEnd = () => process.stdout.write('ended\n')
const agent = new AgentProcess({ command: '/bin/sh', env: {}, storageDirectory, stopTimeoutMs: 5_000, clock: systemClock, output, onUnexpectedEnd })
process.stdout.write(`agent ${await agent.start(['-c', script])}\n`)
