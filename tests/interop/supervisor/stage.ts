/** Sets the stage for one scenario, and clears it afterwards, in reverse. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createInstanceUid } from '@drover/protocol'
import type { OtlpSink, Server } from '../../harness/index.ts'
import { OpampPeer } from './opamp-peer.ts'
import type { CollectorKind, Stage } from './scenario.ts'
import { Subject } from './subject.ts'
import type { SubjectOptions, SupervisorKind } from './subject.ts'

export interface StageOptions {
  readonly kind: SupervisorKind
  readonly collectorKind: CollectorKind
  readonly server: Server
  readonly sink: OtlpSink
  readonly folder: string
  /** The stock supervisor. */
  readonly stock: string
  readonly collector: string
  readonly soonMs: number
}

export async function createStage(options: StageOptions): Promise<Stage & AsyncDisposable> {
  const { server, folder, collector } = options
  const stack = new AsyncDisposableStack()
  await mkdir(folder, { recursive: true })
  let count = 0
  const createSubject = (more: Partial<SubjectOptions> & { endpoint: string; name?: string }): Subject => {
    count += 1
    const { name = `supervisor-${count}`, ...rest } = more
    const uid = createInstanceUid(Date.now(), (bytes) => crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>)) // as: a fresh array is never shared memory
    const base = { kind: options.kind, stock: options.stock, collector, folder: join(folder, name), uid }
    return stack.use(new Subject({ ...base, ...rest }))
  }
  return {
    ...options,
    async peer(peerOptions) {
      return stack.use(await OpampPeer.start(peerOptions))
    },
    subject: createSubject,
    async subjectAtServer(settings = {}) {
      const { data } = await server.api.createEnrolmentToken({ body: { name: `for-${folder.split('/').at(-1) ?? ''}` } })
      const headers = { Authorization: `Bearer ${data.token}` }
      return createSubject({ endpoint: server.agentsUrl, settings: { server: { headers }, ...settings } })
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}
