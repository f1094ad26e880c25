/** A person sends changes to a fleet of scripted agents from the console: previews them, watches them, decides, and goes back. */
import type { Rollout } from '@drover/api'
import { FAILURE_MARKER } from '@drover/testing'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startServer } from '../harness/index.ts'
import type { Server } from '../harness/index.ts'
import { createConfig } from '../interop/agents.ts'
import { axeFindings, describeWithBrowser, openConsole } from './browser.ts'
import { manyWaves, quickPlan, undecidedPlan } from './rollout-plans.ts'

const fleetSize = 24

/** A pipeline that does nothing; `note` stands in a comment, `name` in what agents run. */
const nopPipeline = (name: string, note = name) => `# ${note}
receivers:
  nop/${name}: {}
exporters:
  nop: {}
service:
  pipelines:
    logs:
      receivers: [nop/${name}]
      exporters: [nop]
`

await describeWithBrowser('rollouts in the console', (browser) => {
  let server: Server

  beforeAll(async () => {
    server = await startServer({ args: ['--demo', String(fleetSize)] })
    await server.until(async (api) => ((await api.countAgents({})).data.connected === fleetSize ? true : undefined), { what: 'a connected fleet' })
    await createConfig(server, 'base', nopPipeline('first'))
    await addVersion(nopPipeline('second'))
    await addVersion(nopPipeline('third', FAILURE_MARKER))
  })

  afterAll(async () => {
    await server?.[Symbol.asyncDispose]()
  })

  const addVersion = async (body: string): Promise<void> => {
    const { etag } = await server.api.getConfig({ params: { name: 'base' } })
    await server.api.createVersion({
      params: { name: 'base' },
      body: { message: '', files: [{ name: 'base.yaml', body }] },
      ...(etag === null ? {} : { ifMatch: etag }),
    })
  }

  const takeGroupTo = async (version: number, plan: typeof quickPlan): Promise<string> => {
    const { data: group, etag } = await server.api.getGroup({ params: { name: 'fleet' } })
    const { data } = await server.api.setGroup({
      params: { name: 'fleet' },
      body: { selector: group.selector, configs: [{ config: 'base', version }], rollout: { plan } },
      ...(etag === null ? {} : { ifMatch: etag }),
    })
    return data.rollout?.id ?? ''
  }

  /** The agents take seconds for each wave, which a page is not waited for: it is looked at when the server is there. */
  const untilState = (rolloutId: string, state: Rollout['state']) =>
    server.until(async (api) => ((await api.getRollout({ params: { rolloutId } })).data.state === state ? true : undefined), {
      what: `a rollout that is ${state}`,
    })

  /** The rollout that the page goes to is completed, and the page says so. */
  const untilCompleted = async (page: Page): Promise<void> => {
    await page.waitForURL('**/rollouts/rol_*')
    await untilState(new URL(page.url()).pathname.split('/').at(-1) ?? '', 'completed')
    await rolloutState(page, 'Completed').waitFor()
  }

  it('says on the empty list what to do next', async () => {
    await using window = await openConsole(browser(), server, { path: '/rollouts' })
    await window.page.getByText('No rollout yet').waitFor()
    await window.page.getByRole('link', { name: 'Create a group' }).waitFor()
    expect(await axeFindings(window.page)).toEqual([])
  })

  it('shows whom a new group reaches before anything is sent, and sends to all at once only after a confirmation', async () => {
    await using window = await openConsole(browser(), server, { path: '/create/group?config=base@1' })
    const { page } = window
    await page.getByRole('textbox', { name: 'Name', exact: true }).fill('fleet')
    await page.getByLabel('Selector').fill('*')
    await page.getByRole('heading', { name: 'New group' }).click() // closes the completions
    await page.getByRole('button', { name: 'Create group…' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText(`${fleetSize} agents get another configuration, in 3 waves`).waitFor()
    expect(await dialog.getByRole('list', { name: 'Waves' }).getByRole('listitem').count()).toBe(3)
    expect(await axeFindings(page)).toEqual([])
    await dialog.getByRole('radio', { name: /at once/ }).click()
    const send = dialog.getByRole('button', { name: `Send to all ${fleetSize} agents at once` })
    await send.waitFor()
    expect(await send.getAttribute('aria-description')).toMatch(/Confirm/)
    await send.click({ force: true })
    expect((await server.api.listGroups({})).data.items).toEqual([])
    await dialog.getByLabel('I want all of them to get it at once').check()
    await send.click()
    await untilCompleted(page)
    await page.getByRole('heading', { level: 1, name: /fleet/ }).waitFor()
    await page.getByText(`${fleetSize} of ${fleetSize} agents have it`).waitFor()
    expect(window.complaints).toEqual([])
  })

  it('marks the mistakes of a plan of one’s own where they are, and starts when there are none', async () => {
    await using window = await openConsole(browser(), server, { path: '/groups/fleet/edit' })
    const { page } = window
    await page.getByRole('combobox', { name: 'Version of base' }).click()
    await page.getByRole('option', { name: 'version 2' }).click()
    await page.getByRole('button', { name: 'Save and roll out…' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('radio', { name: /^Quick/ }).click()
    await dialog.getByRole('radio', { name: /^Own plan/ }).click()
    const percent = dialog.getByRole('textbox', { name: 'Percent', exact: true })
    await percent.last().fill('5')
    await dialog.getByText('more than the 10 % of an earlier wave').waitFor()
    expect(await dialog.getByRole('button', { name: 'Start rollout' }).getAttribute('aria-description')).toMatch(/mistakes/)
    await percent.last().fill('100')
    await dialog.getByRole('textbox', { name: 'Watch each wave for' }).fill('1')
    await dialog.getByRole('combobox', { name: 'Unit of watch each wave for' }).click()
    await page.getByRole('option', { name: 'seconds' }).click()
    expect(await axeFindings(page)).toEqual([])
    await chooseAgent(page)
    await dialog.locator('.diff').getByText('nop/second').first().waitFor()
    await dialog.getByLabel('Why').fill('the second one is better')
    await dialog.getByRole('button', { name: 'Start rollout' }).click()
    await untilCompleted(page)
    await page.locator('q', { hasText: 'the second one is better' }).waitFor()
    expect(window.complaints).toEqual([])
  })

  it('explains live that Drover took a bad change back, who was touched, and where they are', async () => {
    const rolloutId = await takeGroupTo(3, quickPlan)
    await using window = await openConsole(browser(), server, { path: `/rollouts/${rolloutId}` })
    const { page } = window
    await page.getByText('Drover opened wave 1', { exact: false }).waitFor()
    await untilState(rolloutId, 'rolledBack')
    await page.getByText('Drover took the change back', { exact: true }).waitFor()
    await page.getByText(/Touched: 3 agents of 24 got the change; 21 agents never did/).waitFor()
    await page.getByText(/3 agents are back\. They have revision 2/).waitFor()
    await page.getByRole('button', { name: /^Back 3/ }).click()
    const members = page.getByRole('region', { name: 'Agents of the rollout' }).getByRole('row')
    await members.nth(3).waitFor()
    expect(await members.count()).toBe(4)
    expect(new URL(page.url()).searchParams.get('state')).toBe('restored')
    expect(await axeFindings(page)).toEqual([])
    expect(window.complaints).toEqual([])
  })

  it('says what is not known when it pauses, and goes on when a person decides, for the reason they give', async () => {
    const rolloutId = await takeGroupTo(1, undecidedPlan)
    await using window = await openConsole(browser(), server, { path: `/rollouts/${rolloutId}` })
    const { page } = window
    await untilState(rolloutId, 'paused')
    await page.getByText('Paused: it is not known whether the change is good').waitFor()
    await page.getByText('What is not known').waitFor()
    const approve = page.getByRole('button', { name: 'Resume…' })
    await approve.waitFor()
    const disabled = page.locator('.page-header-actions [aria-disabled]')
    for (const button of await disabled.all()) expect(await button.getAttribute('aria-description')).not.toBe('')
    expect(await axeFindings(page)).toEqual([])
    await page.getByRole('button', { name: 'Roll back…' }).click()
    const dialog = page.getByRole('dialog')
    expect(await axeFindings(page)).toEqual([])
    await dialog.getByLabel('Why').fill('not worth it')
    await dialog.getByRole('button', { name: 'Roll back' }).click()
    await untilState(rolloutId, 'rolledBack')
    await rolloutState(page, 'Rolled back').waitFor()
    await page
      .getByText('admin took the change back')
      .or(page.getByText(/took the change back/))
      .first()
      .waitFor()
    await page
      .getByText(/not worth it/)
      .first()
      .waitFor()
    expect(window.complaints).toEqual([])
  })

  it('prepares a draft that sends nothing until it is started', async () => {
    await using window = await openConsole(browser(), server, { path: '/groups/fleet' })
    const { page } = window
    await page.getByRole('button', { name: 'Return to 1…' }).click()
    await page.getByRole('dialog').getByText('agents get another configuration', { exact: false }).waitFor()
    await page.getByRole('button', { name: 'Prepare as draft' }).click()
    await rolloutState(page, 'Draft').waitFor()
    await page.getByRole('heading', { name: 'What happens when it is started' }).waitFor()
    expect(await axeFindings(page)).toEqual([])
    await page.getByRole('button', { name: 'Delete draft' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
    await page.getByRole('heading', { level: 1, name: 'Rollouts' }).waitFor()
    expect(window.complaints).toEqual([])
  })

  it('returns to an earlier revision in one action', async () => {
    await using window = await openConsole(browser(), server, { path: '/groups/fleet' })
    const { page } = window
    await page.getByRole('button', { name: 'Return to 1…' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('radio', { name: /at once/ }).click()
    await dialog.getByLabel('I want all of them to get it at once').check()
    await dialog.getByRole('button', { name: /^Send to all/ }).click()
    await page.getByRole('heading', { level: 1, name: /revision 2 → 1/ }).waitFor()
    await untilCompleted(page)
    const { data: group } = await server.api.getGroup({ params: { name: 'fleet' } })
    expect(group.current).toBe(1)
    expect(window.complaints).toEqual([])
  })

  it('lists what is over, narrowed by state and group in the address', async () => {
    await using window = await openConsole(browser(), server, { path: '/rollouts' })
    const { page } = window
    await page.getByRole('region', { name: 'Over, table' }).getByRole('row').nth(4).waitFor()
    expect(await axeFindings(page)).toEqual([])
    await page.getByRole('combobox', { name: 'State' }).click()
    await page.getByRole('option', { name: 'Rolled back' }).click()
    await page.getByRole('region', { name: 'Rollouts, table' }).getByRole('row').nth(2).waitFor()
    expect(new URL(page.url()).search).toBe('?state=rolledBack')
  })

  it.each(['light', 'dark'] as const)('stays usable with 400 waves, also on a phone, %s', async (colorScheme) => {
    const rolloutId = (await server.api.listRollouts({ query: { limit: 1 } })).data.items[0]?.id ?? ''
    const { data: rollout } = await server.api.getRollout({ params: { rolloutId } })
    await using window = await openConsole(browser(), server, { colorScheme })
    const { page } = window
    await page.route(`**/api/v1/rollouts/${rolloutId}`, (route) => route.fulfill({ json: manyWaves(rollout, 400) }))
    await page.route(`**/api/v1/rollouts/${rolloutId}/stream`, (route) => route.abort())
    await page.goto(`${server.consoleUrl}/rollouts/${rolloutId}`)
    await page.getByText(/Not live: this is as it was at/).waitFor()
    const waves = page.locator('.waves > li')
    await waves.first().waitFor()
    expect(await waves.count()).toBeLessThan(15)
    expect(await axeFindings(page, colorScheme === 'dark' ? ['color-contrast'] : undefined)).toEqual([])
    await page.getByRole('button', { name: 'Show all 400 waves' }).click()
    expect(await waves.count()).toBe(400)
    await page.getByRole('button', { name: /^Wave 204/ }).waitFor()
    await page.setViewportSize({ width: 390, height: 800 })
    expect(await page.evaluate('document.documentElement.scrollWidth <= document.documentElement.clientWidth')).toBe(true)
  })
})

function rolloutState(page: Page, text: string) {
  return page.getByRole('heading', { level: 1 }).locator('.badge').filter({ hasText: text })
}

async function chooseAgent(page: Page): Promise<void> {
  await page.getByRole('combobox', { name: 'What changes for one agent' }).click()
  await page.getByRole('option').first().click()
}
