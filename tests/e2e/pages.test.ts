/** Every page of the console, light and dark: nothing for axe to find, nothing that the browser complains about. */
import { FAILURE_MARKER } from '@drover/testing'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startServer } from '../harness/index.ts'
import type { Server } from '../harness/index.ts'
import { assign, createConfig } from '../interop/agents.ts'
import { axeFindings, describeWithBrowser, openConsole, openWindow } from './browser.ts'

const fleetSize = 40
/** Where to leave a picture of each page; unset: none are taken. */
const pictures = process.env['DROVER_SCREENSHOTS']

const nopPipeline = (note: string) => `# ${note}
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

interface PageCase {
  readonly name: string
  readonly path: string
  readonly heading: string | RegExp
}

await describeWithBrowser('every page of the console', (browser) => {
  let server: Server
  let failedAgent: string
  let rolloutId: string
  let draftId: string

  beforeAll(async () => {
    server = await startServer({ args: ['--demo', String(fleetSize)] })
    await server.until(async (api) => ((await api.countAgents({})).data.connected === fleetSize ? true : undefined), { what: 'a connected fleet' })
    await createConfig(server, 'base', nopPipeline('base'))
    await createConfig(server, 'broken', nopPipeline(FAILURE_MARKER))
    await assign(server, 'everyone', ['base'])
    await server.until(async (api) => ((await api.countAgents({})).data.applied === fleetSize ? true : undefined), { what: 'an applied base' })
    await assign(server, 'staging', ['broken'], { priority: 10, selector: 'deployment.environment.name = staging' })
    failedAgent = await server.until(async (api) => (await api.listAgents({ query: { state: 'failed' } })).data.items[0]?.id, { what: 'a failed agent' })
    await server.api.createEnrolmentToken({ body: { name: 'berlin' } })
    await server.api.setSecret({ params: { name: 'api_key' }, body: { value: 'never shown' } })
    const { data: group, etag } = await server.api.getGroup({ params: { name: 'everyone' } })
    rolloutId = group.rollout?.id ?? ''
    const body = { selector: group.selector, configs: [{ config: 'broken', version: 1 }], rollout: { preset: 'careful' as const, draft: true } }
    const { data: prepared } = await server.api.setGroup({ params: { name: 'everyone' }, body, ...(etag === null ? {} : { ifMatch: etag }) })
    draftId = prepared.rollout?.id ?? ''
    await server.api.createWebhook({ body: { name: 'on-call', url: 'https://example.com/drover', events: ['webhook'] } })
  })

  afterAll(async () => {
    await server?.[Symbol.asyncDispose]()
  })

  const cases: readonly PageCase[] = [
    { name: 'overview', path: '/', heading: 'Fleet overview' },
    { name: 'agents', path: '/agents', heading: 'Agents' },
    { name: 'agents-none', path: '/agents?search=nobody', heading: 'Agents' },
    ...['overview', 'health', 'configuration', 'metrics', 'logs', 'attempts', 'events', 'components'].map((tab) => ({
      name: `agent-${tab}`,
      path: `/agents/FAILED?tab=${tab}`,
      heading: /.+/,
    })),
    { name: 'agent-unknown', path: '/agents/agt_nobody', heading: 'Agent' },
    { name: 'configs', path: '/configs', heading: 'Configs' },
    { name: 'config-new', path: '/create/config', heading: 'New config' },
    ...['text', 'changes', 'pipelines'].map((tab) => ({ name: `config-${tab}`, path: `/configs/base?tab=${tab}`, heading: 'base' })),
    { name: 'config-edit', path: '/configs/base/edit', heading: 'Edit base' },
    { name: 'groups', path: '/groups', heading: 'Groups' },
    { name: 'group-new', path: '/create/group?config=base@1', heading: 'New group' },
    { name: 'group', path: '/groups/staging', heading: 'staging' },
    { name: 'group-edit', path: '/groups/staging/edit', heading: 'Edit staging' },
    { name: 'rollouts', path: '/rollouts', heading: 'Rollouts' },
    { name: 'rollout', path: '/rollouts/ROLLOUT', heading: /everyone/ },
    { name: 'rollout-draft', path: '/rollouts/DRAFT', heading: /everyone/ },
    { name: 'rollout-unknown', path: '/rollouts/rol_nobody', heading: 'Rollout' },
    { name: 'templates', path: '/templates', heading: 'Templates' },
    { name: 'config-from-template', path: '/create/config?template=otlp-gateway', heading: 'New config' },
    { name: 'secrets', path: '/secrets', heading: 'Secrets' },
    { name: 'webhooks', path: '/webhooks', heading: 'Webhooks' },
    { name: 'webhook', path: '/webhooks/on-call', heading: 'on-call' },
    { name: 'events', path: '/events', heading: 'Events' },
    { name: 'tokens', path: '/tokens', heading: 'Tokens' },
    { name: 'nowhere', path: '/no/such/page', heading: /.*/ },
  ]

  it('has nothing for axe to find, light and dark', { timeout: 400_000 }, async () => {
    await using window = await openConsole(browser(), server)
    const { page } = window
    const findings: string[] = []
    for (const { name, path, heading } of cases) {
      await page.goto(server.consoleUrl + path.replace('FAILED', failedAgent).replace('ROLLOUT', rolloutId).replace('DRAFT', draftId))
      if (name === 'nowhere') await page.getByText('There is no such page').waitFor()
      else await page.getByRole('heading', { level: 1, name: heading, exact: typeof heading === 'string' }).waitFor()
      await page.locator('[aria-busy=true]').first().waitFor({ state: 'detached' })
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme })
        await page.locator(`html[data-mantine-color-scheme=${colorScheme}]`).waitFor()
        const found = await axeFindings(page, colorScheme === 'dark' ? ['color-contrast'] : undefined)
        findings.push(...found.map((finding) => `${path}, ${colorScheme}: ${finding}`))
        if (pictures !== undefined) await takePicture(page, `${name}-${colorScheme}.png`, pictures)
      }
    }
    expect(findings).toEqual([])
    expect(window.complaints.filter((text) => !text.includes('404'))).toEqual([]) // asking for an unknown agent or rollout is answered 404
  })

  it('has nothing for axe to find in its dialogs and on the sign-in page', async () => {
    await using stranger = await openWindow(browser())
    await stranger.page.goto(`${server.consoleUrl}/sign-in`)
    await stranger.page.getByRole('heading', { name: 'Sign in to Drover' }).waitFor()
    expect(await axeFindings(stranger.page)).toEqual([])
    await stranger.page.evaluate('document.body.append(new Image())')
    expect(await axeFindings(stranger.page)).toContainEqual(expect.stringContaining('image-alt')) // it does look
    await using window = await openConsole(browser(), server)
    const { page } = window
    await page.getByRole('button', { name: 'Add agent' }).click()
    await page.getByRole('dialog').getByLabel('Name of the token').fill('from-the-dialog')
    expect(await axeFindings(page)).toEqual([])
    await page.getByRole('button', { name: 'Create token and show the file' }).click()
    await page.getByText('executable:').first().waitFor()
    expect(await axeFindings(page)).toEqual([])
    expect(window.complaints).toEqual([])
  })

  it('is served under a policy that allows no inline script and nothing from elsewhere', async () => {
    const response = await fetch(server.consoleUrl)
    const policy = new Map((response.headers.get('content-security-policy') ?? '').split(';').map((part) => [part.trim().split(' ')[0], part.trim()]))
    expect(policy.get('script-src') ?? policy.get('default-src')).toMatch(/^(script|default)-src 'self'$/)
    expect(policy.get('frame-ancestors')).toBe("frame-ancestors 'none'")
    expect(await response.text()).not.toMatch(/<script(?![^>]*\bsrc=)/)
  })
})

async function takePicture(page: Page, name: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  await page.screenshot({ path: join(folder, name) })
}
