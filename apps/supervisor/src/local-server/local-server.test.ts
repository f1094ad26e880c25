import { once } from 'node:events'
import { request } from 'node:http'
import { createServer } from 'node:net'
import { create } from '@bufbuild/protobuf'
import { CustomMessageSchema, parseInstanceUid, ServerToAgentFlags } from '@drover/protocol'
import type { ComponentHealth, CustomMessage } from '@drover/protocol'
import { systemClock } from '@drover/server'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LocalServer } from './local-server.ts'
import { TestExtension } from './test-extension.ts'

const uid = parseInstanceUid('01939b3c-7d2e-7c3a-9f00-0123456789ab')
const otherUid = parseInstanceUid('01939b3c-7d2e-7c3a-9f00-0123456789ff')
const { ServerToAgentFlags_ReportAvailableComponents: reportComponents } = ServerToAgentFlags

let server: LocalServer
let port = 0
let said: string[] = []
let messages: CustomMessage[] = []
let wake = Promise.withResolvers<void>()

const say = (what: string): void => {
  said.push(what)
  wake.resolve()
}

async function until(what: string): Promise<void> {
  while (!said.includes(what)) {
    wake = Promise.withResolvers()
    await wake.promise
  }
}

const healthText = ({ healthy, status, componentHealthMap }: ComponentHealth): string =>
  `${healthy} ${status}${Object.entries(componentHealthMap)
    .map(([name, part]) => ` ${name}=${healthText(part)}`)
    .join('')}`.trim()

function open(atPort = 0): LocalServer {
  return new LocalServer({
    port: atPort,
    clock: systemClock,
    log: () => undefined,
    handler: {
      onDescription: ({ identifyingAttributes }) => say(`description ${identifyingAttributes.map(({ key }) => key).join()}`),
      onComponents: ({ components }) => say(`components ${Object.keys(components).join()}`),
      onEffectiveConfig: ({ configMap }) => say(`config ${new TextDecoder().decode(configMap?.configMap['']?.body)}`),
      onCustomCapabilities: (capabilities) => say(`capabilities ${capabilities.join()}`),
      onCustomMessage: (message) => {
        messages.push(message)
        say(`message ${message.type}`)
      },
      onHealth: (health) => say(`health ${healthText(health)}`),
      onReport: (components) => say(`report ${components}`),
      onStranger: (stranger) => say(`stranger ${stranger}`),
    },
  })
}

beforeEach(async () => {
  said = []
  messages = []
  server = open()
  port = await server.start()
  server.expect(uid)
})
afterEach(() => server[Symbol.asyncDispose]())

describe('the local server', () => {
  it('hears of everything that the agent says of itself, and asks for the components in full once', async () => {
    const agent = new TestExtension(port, uid)
    const answer = await agent.introduce()
    expect(answer.flags & BigInt(reportComponents)).toBe(BigInt(reportComponents))
    expect(said).toEqual(['description service.name', 'config a: 1', 'health false', 'report asked'])
    const components = { hash: Uint8Array.of(1), components: { receivers: { subComponentMap: { otlp: {} } } } }
    const full = await agent.ask({ availableComponents: components })
    expect(full.flags).toBe(0n)
    const health = { healthy: true, status: 'StatusOK', componentHealthMap: { 'pipeline:logs': { healthy: true, status: 'StatusOK' } } }
    await agent.ask({ health })
    expect(said.slice(4)).toEqual(['components receivers', 'report known', 'health true StatusOK pipeline:logs=true StatusOK', 'report none'])
    agent.close()
  })

  it('does not ask again for components that it knows', async () => {
    const agent = new TestExtension(port, uid)
    await agent.introduce()
    await agent.ask({ availableComponents: { hash: Uint8Array.of(1), components: { receivers: {} } } })
    agent.close()
    server.expectNobody()
    server.expect(uid)
    const next = new TestExtension(port, uid)
    said = []
    expect((await next.introduce()).flags).toBe(0n)
    expect(said).toEqual(['description service.name', 'components receivers', 'config a: 1', 'health false', 'report known'])
    next.close()
  })

  it('lets one agent in at a time, and tells another one to come back in a second', async () => {
    const agent = new TestExtension(port, uid)
    await agent.introduce()
    expect(await new TestExtension(port, uid).closed).toEqual({ retryAfterMs: 1000 })
    agent.cut()
    let next = new TestExtension(port, uid)
    // The cut is noticed when its event comes, which may be after that of the new connection.
    while ((await Promise.race([next.introduce(), next.closed.then(() => 'refused' as const)])) === 'refused') next = new TestExtension(port, uid)
    next.close()
  })

  it('lets nobody in while no agent is expected', async () => {
    server.expectNobody()
    expect(await new TestExtension(port, uid).closed).toEqual({ retryAfterMs: 1000 })
  })

  it('turns away an agent under another uid, and says so', async () => {
    const stranger = new TestExtension(port, otherUid)
    await stranger.send({ agentDescription: {}, health: { healthy: true } })
    await stranger.closed
    expect(said).toEqual([`stranger ${otherUid}`])
    const agent = new TestExtension(port, uid)
    await agent.introduce()
    expect(said).toContain('description service.name')
    agent.close()
  })

  it('does not count what is said on a connection of the process before', async () => {
    const agent = new TestExtension(port, uid)
    await agent.introduce()
    // It begins anew within itself, as on SIGHUP.
    server.expect(uid)
    said = []
    await agent.ask({ health: { healthy: true, status: 'StatusOK' } })
    expect(said).toEqual([])
    agent.close()
    const again = new TestExtension(port, uid)
    await again.introduce({ health: { healthy: true, status: 'StatusOK' } })
    expect(said).toContain('health true StatusOK')
    again.close()
  })

  it('closes the connection of a process that has ended', async () => {
    const agent = new TestExtension(port, uid)
    await agent.introduce()
    server.expectNobody()
    await agent.closed
  })

  it('answers no browser, and no plain HTTP', async () => {
    const fromPage = new TestExtension(port, uid, { origin: 'http://localhost:3000' })
    await fromPage.closed
    const post = request({ port, host: '127.0.0.1', method: 'POST', path: '/v1/opamp', headers: { 'content-type': 'application/x-protobuf' } })
    post.end()
    const [response] = (await once(post, 'response')) as [{ statusCode: number; resume(): void }] // as: the event of a request
    response.resume()
    expect(response.statusCode).toBe(403)
    expect(said).toEqual([])
  })

  it('says which port it cannot have', async () => {
    await using second = open(port)
    await expect(second.start()).rejects.toThrow(`cannot listen on port ${port} for the agent`)
  })

  it('lets go of its port when it ends', async () => {
    await server[Symbol.asyncDispose]()
    const other = createServer().listen({ port, host: '127.0.0.1' })
    await once(other, 'listening')
    other.close()
  })
})

describe('custom messages', () => {
  const capability = 'io.drover.test'
  const message = (type: string) => create(CustomMessageSchema, { capability, type, data: Uint8Array.of(0, 255) })
  const announced = { customCapabilities: { capabilities: [capability] } }

  it('pass both ways once the Server of the supervisor and the agent have announced their capability', async () => {
    const agent = new TestExtension(port, uid)
    await agent.introduce(announced)
    expect(said).toContain(`capabilities ${capability}`)
    await agent.ask({ customMessage: message('too early') })
    expect(messages).toEqual([])
    server.setServerCustomCapabilities([capability])
    expect((await agent.next()).customCapabilities?.capabilities).toEqual([capability])
    await agent.ask({ customMessage: message('up') })
    expect(messages).toMatchObject([{ capability, type: 'up', data: Uint8Array.of(0, 255) }])
    server.sendCustomMessage(message('down'))
    expect((await agent.next()).customMessage).toMatchObject({ capability, type: 'down', data: Uint8Array.of(0, 255) })
    agent.close()
  })

  it('wait for an agent that is starting, in order, and only so many', async () => {
    server.setServerCustomCapabilities([capability])
    for (let count = 0; count < 100; count++) server.sendCustomMessage(message(`waiting ${count}`))
    const agent = new TestExtension(port, uid)
    await agent.introduce(announced)
    const types: (string | undefined)[] = []
    for (let count = 0; count < 64; count++) types.push((await agent.next()).customMessage?.type)
    expect(types).toEqual(Array.from({ length: 64 }, (_, index) => `waiting ${index}`))
    server.sendCustomMessage(message('after'))
    expect((await agent.next()).customMessage?.type).toBe('after')
    agent.close()
  })

  it('of a capability that the agent does not have are dropped', async () => {
    server.setServerCustomCapabilities([capability])
    const agent = new TestExtension(port, uid)
    expect((await agent.introduce()).customCapabilities?.capabilities).toEqual([capability])
    server.sendCustomMessage(message('dropped'))
    expect((await agent.ask()).customMessage).toBeUndefined()
    agent.close()
  })
})

it('hears in order what comes in a burst', async () => {
  const agent = new TestExtension(port, uid)
  await agent.introduce()
  for (let count = 0; count < 300; count++) await agent.send({ health: { healthy: true, status: `S${count}` } })
  await until('health true S299')
  expect(said.filter((what) => what.startsWith('health true'))).toEqual(Array.from({ length: 300 }, (_, index) => `health true S${index}`))
  agent.close()
})
