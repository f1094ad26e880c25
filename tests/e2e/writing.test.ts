/** What a person writes in the console: drafts that keep themselves, secrets that are not shown again, webhooks, templates. */
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startServer } from '../harness/index.ts'
import type { Server } from '../harness/index.ts'
import { axeFindings, describeWithBrowser, openConsole } from './browser.ts'

const text = (note: string) => `# ${note}
receivers:
  nop: {}
exporters:
  nop: {}
service:
  pipelines:
    logs:
      receivers: [nop]
      exporters: [nop]
`
const file = (note: string) => ({ name: 'collector.yaml', contentType: 'text/yaml', body: text(note) })

await describeWithBrowser('writing in the console', (browser) => {
  let server: Server

  beforeAll(async () => {
    server = await startServer({ args: ['--demo', '3'] })
    await server.api.createConfig({ body: { name: 'base', description: '', message: '', files: [file('first')] } })
  })

  afterAll(async () => {
    await server?.[Symbol.asyncDispose]()
  })

  it('keeps what is written as a draft, goes on with it after leaving, and publishes it', async () => {
    await using window = await openConsole(browser(), server, { path: '/configs/base/edit' })
    const { page } = window
    await writeInEditor(page, text('second'))
    await page.getByText(/Saved as draft \d\d:\d\d/).waitFor()
    expect((await server.api.getConfig({ params: { name: 'base' } })).data.latest.version).toBe(1)
    await page.goto(`${server.consoleUrl}/configs`)
    await page.getByRole('region', { name: 'Drafts', exact: true }).getByRole('link', { name: 'base' }).click()
    await page.getByText('You go on with a draft').waitFor()
    await page.getByText('# second').waitFor()
    await page.getByRole('button', { name: 'Save new version' }).click()
    await page.getByText('Version 2 of base was saved').waitFor()
    expect((await server.api.listDrafts({ query: {} })).data.items).toEqual([])
    expect(window.complaints).toEqual([])
  })

  it('shows the other text when somebody else edited the draft meanwhile, and saves nothing before it is decided', async () => {
    await using window = await openConsole(browser(), server, { path: '/configs/base/edit' })
    const { page } = window
    await writeInEditor(page, text('mine'))
    await page.getByText(/Saved as draft/).waitFor()
    const { etag } = await server.api.getDraft({ params: { config: 'base' } })
    await server.api.saveDraft({ params: { config: 'base' }, body: { files: [file('theirs')], message: '', edited: etag ?? '' } })
    await writeInEditor(page, text('mine again'))
    await page.getByRole('button', { name: 'Compare' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText('Their draft').waitFor()
    expect((await server.api.getDraft({ params: { config: 'base' } })).data.files).toEqual([file('theirs')])
    await dialog.getByRole('button', { name: 'Keep mine' }).click()
    await page.getByText(/Saved as draft/).waitFor()
    expect((await server.api.getDraft({ params: { config: 'base' } })).data.files).toEqual([file('mine again')])
    await page.getByRole('button', { name: 'Throw draft away' }).click()
    await dialog.getByRole('button', { name: 'Throw away' }).click()
    await page.getByText('# second').waitFor()
  })

  it('keeps what was written a moment before the page is left', async () => {
    await using window = await openConsole(browser(), server, { path: '/configs/base/edit' })
    const { page } = window
    await writeInEditor(page, text('in a hurry'))
    await page.goto('about:blank')
    await server.until(async (api) => (await api.listDrafts({ query: {} })).data.items.find(({ config }) => config === 'base'), { what: 'the draft' })
    expect((await server.api.getDraft({ params: { config: 'base' } })).data.files).toEqual([file('in a hurry')])
    await server.api.deleteDraft({ params: { config: 'base' } })
  })

  it('begins with a template, with its name, and offers the secrets that there are', async () => {
    await server.api.setSecret({ params: { name: 'api_key' }, body: { value: 'never shown' } })
    await using window = await openConsole(browser(), server, { path: '/templates' })
    const { page } = window
    await page.getByRole('link', { name: 'Use OTLP gateway' }).click()
    await page.getByRole('heading', { name: 'New config' }).waitFor()
    expect(await page.getByRole('textbox', { name: 'Name', exact: true }).inputValue()).toBe('otlp-gateway')
    await writeInEditor(page, text('of a template'))
    await page.keyboard.press('ControlOrMeta+End')
    await page.keyboard.type('# ${drover:secret.')
    await page.getByRole('option', { name: /api_key/ }).click()
    await page.getByText(/Saved as draft/).waitFor()
    await page.getByRole('button', { name: 'Create config' }).click()
    await page.getByRole('heading', { name: 'otlp-gateway', level: 1 }).waitFor()
    const { data } = await server.api.getVersion({ params: { name: 'otlp-gateway', version: 1 } })
    expect(data.files[0]?.body).toContain('${drover:secret.api_key}')
    expect(window.complaints).toEqual([])
  })

  it('says that a name is taken before anything is written under it', async () => {
    await using window = await openConsole(browser(), server, { path: '/create/config' })
    const { page } = window
    await page.getByRole('textbox', { name: 'Name', exact: true }).fill('base')
    await page.getByRole('button', { name: 'Create config' }).click()
    await page.getByText('There is a config of this name').waitFor()
    expect((await server.api.listDrafts({ query: {} })).data.items.map(({ config }) => config)).not.toContain('base')
    expect(window.complaints).toEqual([])
  })

  it('takes a secret and does not show it again', async () => {
    await using window = await openConsole(browser(), server, { path: '/secrets' })
    const { page } = window
    await page.getByRole('button', { name: 'New secret' }).click()
    await page.getByRole('textbox', { name: 'Name' }).fill('backend_token')
    await page.getByRole('textbox', { name: 'Value' }).fill('tr0ub4dor')
    expect(await axeFindings(page)).toEqual([])
    await page.getByRole('button', { name: 'Create' }).click()
    await page.getByText('Secret backend_token has version 1').waitFor()
    await page.getByRole('button', { name: 'New value for backend_token' }).click()
    expect(await page.getByRole('textbox', { name: 'Value' }).inputValue()).toBe('')
    expect(await page.content()).not.toContain('tr0ub4dor')
    expect(window.complaints).toEqual([])
  })

  it('shows the signing secret of a webhook once, and what came back from a test', async () => {
    await using window = await openConsole(browser(), server, { path: '/webhooks' })
    const { page } = window
    await page.getByRole('button', { name: 'New webhook' }).click()
    await page.getByRole('textbox', { name: 'Name' }).fill('on-call')
    await page.getByRole('textbox', { name: 'Address' }).fill('https://drover.invalid/hook')
    expect(await axeFindings(page)).toEqual([])
    await page.getByRole('button', { name: 'Create' }).click()
    const secret = await page.getByLabel('signing secret', { exact: true }).textContent()
    expect(secret?.trim()).toMatch(/^whsec_/)
    await page.getByRole('button', { name: 'Done' }).click()
    await page.getByRole('link', { name: 'on-call' }).click()
    await page.getByRole('button', { name: 'Send a test event' }).click()
    await page.getByText('The receiver did not take it').waitFor()
    expect(await page.content()).not.toContain(secret)
    expect(window.complaints).toEqual([])
  })

  it('reads a chart with the keyboard, and as a table', async () => {
    await using window = await openConsole(browser(), server)
    const { page } = window
    const chart = page.getByRole('slider', { name: 'Agents over time: read values' })
    await chart.focus()
    await page.keyboard.press('Home')
    expect(await chart.getAttribute('aria-valuenow')).toBe('0')
    expect(await chart.getAttribute('aria-valuetext')).toMatch(/Connected \d/)
    await page.getByRole('button', { name: 'Agents over time as a table' }).click()
    await page.getByRole('region', { name: 'Agents over time, table' }).getByRole('columnheader', { name: 'Connected' }).waitFor()
    expect(await axeFindings(page)).toEqual([])
  })
})

/** Replaces what is in the editor. Pasted rather than typed: the editor indents new lines by itself. */
async function writeInEditor(page: Page, value: string): Promise<void> {
  const editor = page.getByRole('textbox', { name: /Configuration file/ })
  await editor.click()
  await page.keyboard.press('ControlOrMeta+a')
  await page.keyboard.insertText(value)
}
