/** A person configures a real Collector from the console: editor, group, send, and what becomes of it, without a reload. */
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createTemporaryFolder, freePort, startOtlpSink, startServer } from '../harness/index.ts'
import type { OtlpSink, Server, TemporaryFolder } from '../harness/index.ts'
import { isUp, untilAgent } from '../interop/agents.ts'
import { forwardLogs, refusedByCollector, sendLogLine } from '../interop/collector-configs.ts'
import { Supervisor, drover } from '../interop/supervisor.ts'
import { findPeers, skipSuite } from '../peers/index.ts'
import type { Peers } from '../peers/index.ts'
import { describeWithBrowser, openConsole } from './browser.ts'
import type { ConsolePage } from './browser.ts'

const demoAgents = 5
/** Scripted agents have a region, the real one has none. */
const onlyTheRealOne = 'not exists(cloud.region)'

const title = 'configuring a real Collector from the console'
const peers = await findPeers(['supervisor', 'collector'])
if (typeof peers === 'string') skipSuite(title, peers)
else await describeWithBrowser(title, (browser) => suite(browser, peers))

function suite(browser: () => Browser, executables: Peers<'supervisor' | 'collector'>): void {
  let server: Server
  let folder: TemporaryFolder
  let supervisor: Supervisor
  let sink: OtlpSink
  let agentId: string
  let port: number
  let agentWindow: ConsolePage

  beforeAll(async () => {
    server = await startServer({ args: ['--demo', String(demoAgents)] })
    folder = await createTemporaryFolder()
    sink = await startOtlpSink()
    port = await freePort()
    const pasted = await drover(server, 'tokens', 'create', 'console', '--for', 'supervisor')
    supervisor = new Supervisor({ ...executables, folder: folder.path, pasted })
    await supervisor.start()
    const uid = await server.until(async (api) => (await api.listAgents({ query: { filter: onlyTheRealOne } })).data.items[0]?.id, {
      what: 'the real agent',
      timeoutMs: 90_000,
    })
    agentId = (await untilAgent(server, isUp, { what: 'a healthy agent', agentId: uid })).id
    agentWindow = await openConsole(browser(), server, { path: `/agents/${agentId}` })
  })

  afterAll(async () => {
    await agentWindow?.[Symbol.asyncDispose]()
    await supervisor?.[Symbol.asyncDispose]()
    await server?.[Symbol.asyncDispose]()
    await sink?.[Symbol.asyncDispose]()
    await folder?.[Symbol.asyncDispose]()
  })

  it('shows a mistake in the editor while it is made, with its place, and lets the mended config be created', async () => {
    await using window = await openConsole(browser(), server, { path: '/create/config' })
    const { page } = window
    await page.getByRole('textbox', { name: 'Name', exact: true }).fill('forward')
    const good = forwardLogs(port, sink.url)
    await writeInEditor(page, good.replace('exporters: [otlphttp/out]', 'exporters: [otlphttp/nowhere]'))
    const finding = page.getByRole('button', { name: /otlphttp\/nowhere/ })
    await finding.waitFor()
    await page.getByText('1 error').waitFor()
    await writeInEditor(page, good)
    await finding.waitFor({ state: 'detached' })
    await page.getByText('No problems found').waitFor()
    await page.getByRole('button', { name: 'Create config' }).click()
    await page.getByRole('heading', { name: 'forward', level: 1 }).waitFor()
    expect(window.complaints).toEqual([])
  })

  it('counts matching agents while a group is written, sends, and shows APPLIED without a reload', async () => {
    await using window = await openConsole(browser(), server, { path: '/configs/forward' })
    const { page } = window
    await page.getByRole('link', { name: 'Use in a new group' }).click()
    await page.getByRole('heading', { name: 'New group' }).waitFor()
    await page.getByRole('textbox', { name: 'Name', exact: true }).fill('edge')
    await page.getByLabel('Selector').fill('*')
    await page.getByText(`${demoAgents + 1} agents match now`).waitFor()
    await page.getByLabel('Selector').fill(onlyTheRealOne)
    await page.getByText('1 agent matches now').waitFor()
    await page.getByRole('heading', { name: 'New group' }).click() // closes the completions
    await page.getByRole('button', { name: 'Create group…' }).click()
    await page.getByRole('dialog').getByText('1 agent gets another configuration').waitFor()
    await page.getByRole('button', { name: 'Start rollout' }).click()
    await page.getByRole('heading', { name: /edge/, level: 1 }).waitFor()
    await badge(agentWindow.page, 'Applied').waitFor()
    await badge(agentWindow.page, 'Healthy').waitFor()
    await sendLogLine(port, 'sent from the console')
    await sink.untilReceived('logs', 'sent from the console')
    const unexpected = [...window.complaints, ...agentWindow.complaints]
    expect(unexpected).toEqual([])
  })

  it('shows why the Collector refused a configuration, and that it runs its last good one again', async () => {
    await using window = await openConsole(browser(), server, { path: '/configs/forward/edit' })
    const { page } = window
    await writeInEditor(page, refusedByCollector())
    await page.getByText('No problems found').waitFor()
    await page.getByRole('button', { name: 'Save new version' }).click()
    await page.getByRole('heading', { name: 'forward', level: 1 }).waitFor()
    await page.goto(`${server.consoleUrl}/groups/edge/edit`)
    await page.getByRole('combobox', { name: 'Version of forward' }).click()
    await page.getByRole('option', { name: 'version 2 (newest)' }).click()
    await page.getByRole('button', { name: 'Save and roll out…' }).click()
    await page.getByRole('button', { name: 'Start rollout' }).click()
    await page.getByRole('heading', { name: /edge/, level: 1 }).waitFor()
    await badge(agentWindow.page, 'Restored').waitFor()
    const { data: agent } = await server.api.getAgent({ params: { agentId } })
    expect(agent.configError).toMatch(/exit/)
    await agentWindow.page
      .getByText(agent.configError ?? '')
      .first()
      .waitFor()
    await badge(agentWindow.page, 'Healthy').waitFor()
    await agentWindow.page.getByRole('tab', { name: 'Configuration' }).click()
    await agentWindow.page.getByText('Held back', { exact: false }).first().waitFor()
    await sendLogLine(port, 'on the last good one')
    await sink.untilReceived('logs', 'on the last good one')
    expect([...window.complaints, ...agentWindow.complaints]).toEqual([])
  })

  it('restarts the Collector after asking', async () => {
    const { page } = agentWindow
    await page.getByRole('button', { name: 'Restart' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Restart' }).click()
    await page.getByText('The restart command was sent').waitFor()
    await supervisor.untilCollectorRuns()
    expect(agentWindow.complaints).toEqual([])
  })
}

/** One of the three facts beside the agent's name. */
function badge(page: Page, text: string) {
  return page.locator('.agent-head .badge').filter({ hasText: text })
}

/** Replaces what is in the editor. Pasted rather than typed: the editor indents new lines by itself. */
async function writeInEditor(page: Page, text: string): Promise<void> {
  const editor = page.getByRole('textbox', { name: /Configuration file/ })
  await editor.click()
  await page.keyboard.press('ControlOrMeta+a')
  await page.keyboard.insertText(text)
}
