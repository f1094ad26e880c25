/** The console over a fleet of scripted agents: signing in, counts, table, agent page, loss of the server, colours, keyboard. */
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createTemporaryFolder, freePort, startServer } from '../harness/index.ts'
import type { Server, TemporaryFolder } from '../harness/index.ts'
import { describeWithBrowser, openConsole, openWindow } from './browser.ts'

const fleetSize = 60

await describeWithBrowser('the console over a fleet', (browser) => {
  let folder: TemporaryFolder
  let server: Server

  beforeAll(async () => {
    folder = await createTemporaryFolder()
    server = await startServer({
      dataDir: `${folder.path}/data`,
      agentsListen: `127.0.0.1:${await freePort()}`,
      consoleListen: `127.0.0.1:${await freePort()}`,
      args: ['--demo', String(fleetSize)],
    })
    await untilFleetIsUp()
  })

  afterAll(async () => {
    await server?.[Symbol.asyncDispose]()
    await folder?.[Symbol.asyncDispose]()
  })

  const untilFleetIsUp = () =>
    server.until(async (api) => ((await api.countAgents({})).data.connected === fleetSize ? true : undefined), { what: 'a connected fleet' })

  it('lets a person in by the link that the server prints, once', async () => {
    const [link] = await server.child.untilOutput(/http:\/\/\S+\/sign-in\S+/)
    await using window = await openWindow(browser())
    await window.page.goto(link)
    await window.page.getByRole('heading', { name: 'Fleet overview' }).waitFor()
    expect(new URL(window.page.url()).pathname).toBe('/')
    expect(await window.context.cookies()).toEqual([expect.objectContaining({ httpOnly: true, sameSite: 'Strict' })])
    expect(window.complaints).toEqual([])
    await using second = await openWindow(browser())
    await second.page.goto(link)
    await second.page.getByText('This link cannot be used').waitFor()
  })

  it('sends a stranger to the sign-in page and back to where they wanted to go', async () => {
    await using window = await openWindow(browser())
    await window.page.goto(`${server.consoleUrl}/agents?state=healthy`)
    await window.page.getByRole('heading', { name: 'Sign in to Drover' }).waitFor()
    const { data } = await server.api.createSignInLink({})
    await window.page.getByLabel('Link or code').fill(data.url)
    await window.page.getByRole('button', { name: 'Sign in' }).click()
    await window.page.getByRole('heading', { name: 'Agents' }).waitFor()
    expect(new URL(window.page.url()).search).toBe('?state=healthy')
  })

  it('counts agents by state, and each count leads to those agents', async () => {
    await using window = await openConsole(browser(), server)
    const { page } = window
    const { data: counts } = await server.api.countAgents({})
    for (const [label, state] of [
      ['Connected', 'connected'],
      ['Healthy', 'healthy'],
      ['Unmanaged', 'unmanaged'],
    ] as const) {
      await page.getByRole('navigation', { name: 'Agents by state' }).getByRole('link', { name: label }).first().click()
      await page.waitForURL(`**/agents?state=${state}`)
      await page
        .getByRole('status')
        .filter({ hasText: `${counts[state]} agents` })
        .waitFor()
      await page.goBack()
    }
    expect(window.complaints).toEqual([])
  })

  it('narrows the table by selector and search, and keeps both in the address', async () => {
    await using window = await openConsole(browser(), server, { path: '/agents' })
    const { page } = window
    const filter = 'os.type = windows'
    const { data: windows } = await server.api.listAgents({ query: { filter, limit: 1 } })
    await page.getByLabel('Selector').fill(filter)
    await page.getByLabel('Selector').press('Enter')
    await page
      .getByRole('status')
      .filter({ hasText: new RegExp(`^${windows.total} agents?`) })
      .waitFor()
    const name = windows.items[0]?.name ?? ''
    await page.getByLabel('Search agents').fill(name)
    await page
      .getByRole('status')
      .filter({ hasText: /^1 agent/ })
      .waitFor()
    await page.reload()
    await page
      .getByRole('status')
      .filter({ hasText: /^1 agent/ })
      .waitFor()
    await page.getByRole('link', { name }).click()
    await page.getByRole('heading', { name, level: 1 }).waitFor()
    expect(window.complaints).toEqual([])
  })

  it('shows what an agent is, how it is, and what it contains', async () => {
    const agent = (await server.api.listAgents({ query: { limit: 1 } })).data.items[0]
    await using window = await openConsole(browser(), server, { path: `/agents/${agent?.id}` })
    const { page } = window
    await page.getByRole('heading', { name: agent?.name ?? '', level: 1 }).waitFor()
    await page
      .getByText(agent?.instanceUid ?? '')
      .first()
      .waitFor()
    await page.getByText('AcceptsRemoteConfig').waitFor()
    await page.getByRole('tab', { name: 'Health' }).click()
    await page.getByText('extension:opamp').first().waitFor()
    await page.getByRole('tab', { name: 'Components' }).click()
    await page.getByText('otlp', { exact: true }).first().waitFor()
    await page.getByRole('tab', { name: 'Configuration' }).click()
    await page.getByText('No group').first().waitFor()
    await page.getByRole('tab', { name: 'Events' }).click()
    await page.getByText('agent.enrolled').first().waitFor()
    expect(new URL(page.url()).search).toBe('?tab=events')
    expect(window.complaints).toEqual([])
  })

  it('can be walked by keyboard: skip link, search by slash, rows by arrows, Enter opens', async () => {
    await using window = await openConsole(browser(), server, { path: '/agents' })
    const { page } = window
    const first = (await server.api.listAgents({ query: { limit: 3 } })).data.items
    await page.getByRole('row').nth(3).waitFor()
    await page.keyboard.press('/')
    expect(await focusedLabel(page)).toBe('Search agents')
    await page.locator('[data-row="0"]').focus()
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('ArrowDown')
    await page.locator('[data-row="2"]:focus').waitFor()
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: first[2]?.name ?? '', level: 1 }).waitFor()
    await page.goto(server.consoleUrl)
    await page.getByRole('heading', { name: 'Fleet overview' }).waitFor()
    await page.getByRole('link', { name: 'Skip to the content' }).focus()
    await page.keyboard.press('Enter')
    await page.locator('main:focus').waitFor()
  })

  it('follows the colours of the system, and those that a person chose', async () => {
    await using window = await openConsole(browser(), server, { colorScheme: 'dark' })
    const { page } = window
    const scheme = () => page.locator('html').getAttribute('data-mantine-color-scheme')
    expect(await scheme()).toBe('dark')
    await page.emulateMedia({ colorScheme: 'light' })
    await page.locator('html[data-mantine-color-scheme=light]').waitFor()
    await page.getByRole('button', { name: 'Account and appearance' }).click()
    await page.getByRole('menuitem', { name: 'Dark' }).click()
    await page.locator('html[data-mantine-color-scheme=dark]').waitFor()
    await page.reload()
    await page.getByRole('heading', { name: 'Fleet overview' }).waitFor()
    expect(await scheme()).toBe('dark')
    expect(window.complaints).toEqual([])
  })

  it('says when the server is gone, and goes on by itself when it is back', async () => {
    // Of configs alone: agents that come back at the same time would push the event out of a short list.
    await using window = await openConsole(browser(), server, { path: '/events?kind=config' })
    const { page } = window
    await page.locator('.live-mark[data-state=open]').waitFor()
    expect(window.complaints).toEqual([])
    await server.kill()
    await page.getByText('No connection to the server since').waitFor()
    server = await startServer({
      dataDir: server.dataDir,
      agentsListen: server.agentsListen,
      consoleListen: server.consoleListen,
      args: ['--demo', String(fleetSize)],
    })
    await page.getByText('No connection to the server since').waitFor({ state: 'detached' })
    await untilFleetIsUp()
    const before = await server.api.createConfig({ body: { name: 'made-after', files: [{ name: 'a.yaml', body: minimal }] } })
    await page.getByText(before.data.name).first().waitFor()
  })
})

const minimal = 'receivers:\n  nop: {}\nexporters:\n  nop: {}\nservice:\n  pipelines:\n    logs:\n      receivers: [nop]\n      exporters: [nop]\n'

function focusedLabel(page: Page): Promise<string | null> {
  return page.locator(':focus').getAttribute('aria-label')
}
