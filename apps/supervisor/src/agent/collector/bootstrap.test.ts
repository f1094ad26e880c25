import { create } from '@bufbuild/protobuf'
import { AgentDescriptionSchema, AvailableComponentsSchema, parseInstanceUid } from '@drover/protocol'
import { FakeClock } from '@drover/testing'
import { expect, it } from 'vitest'
import { testFolder } from '../test-agents.ts'
import { Bootstrap } from './bootstrap.ts'

const description = create(AgentDescriptionSchema, { identifyingAttributes: [{ key: 'service.name' }] })
const components = create(AvailableComponentsSchema, { hash: Uint8Array.of(1), components: { receivers: {} } })

async function begin() {
  const folder = await testFolder()
  const clock = new FakeClock()
  const started = Promise.withResolvers<void>()
  const steps: string[] = []
  const bootstrap = new Bootstrap({
    executable: '/collector',
    storageDirectory: folder.path,
    timeoutMs: 3_000,
    clock,
    start: async () => started.resolve(),
    stop: async () => void steps.push('stopped'),
    output: () => 'Error: said this\n',
    describe: (reported) => reported,
  })
  const result = bootstrap.run('config', new AbortController().signal)
  result.catch(() => undefined)
  await started.promise
  return { bootstrap, result, clock, steps, folder }
}

it('waits for the components that it asked for, whatever else is reported before', async () => {
  const { bootstrap, result, steps } = await begin()
  bootstrap.handler.onDescription(description)
  bootstrap.handler.onReport('asked')
  bootstrap.handler.onReport('none')
  bootstrap.handler.onComponents(components)
  bootstrap.handler.onReport('known')
  expect(await result).toEqual({ description, components })
  expect(steps).toEqual(['stopped'])
})

it('waits for the description', async () => {
  const { bootstrap, result, clock } = await begin()
  bootstrap.handler.onReport('none')
  clock.advance(3_000)
  await expect(result).rejects.toMatchObject({
    code: 'timeout',
    message: 'the Collector connected, and did not describe itself within 3 s. It printed: said this',
  })
})

it('does without components where none are announced', async () => {
  const { bootstrap, result } = await begin()
  bootstrap.handler.onDescription(description)
  bootstrap.handler.onReport('none')
  expect(await result).toEqual({ description })
})

it('leaves no file, and stops the Collector, also when it fails', async () => {
  const { bootstrap, result, steps, folder } = await begin()
  bootstrap.handler.onStranger(parseInstanceUid('01939b3c-7d2e-7c3a-9f00-0123456789ff'), description)
  await expect(result).rejects.toMatchObject({ code: 'instance-id-mismatch', facts: { description }, logTail: 'Error: said this' })
  expect([steps, await folder.names()]).toEqual([['stopped'], []])
})
