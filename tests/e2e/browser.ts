/** Debian's Chromium, and pages of the console whose complaints are kept: script errors, policy violations, axe findings. */
import { AxeBuilder } from '@axe-core/playwright'
import { access } from 'node:fs/promises'
import { chromium } from 'playwright-core'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe } from 'vitest'
import type { Server } from '../harness/index.ts'
import { skipSuite } from '../peers/index.ts'

const executablePath = process.env['DROVER_CHROMIUM'] ?? '/usr/bin/chromium'
const launchArgs = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]
/** A page on two busy cores; nothing waits longer. */
const actionLimitMs = 60_000

/** Like `describe`, with a browser. Skips with a sentence where there is none, unless DROVER_REQUIRE_PEERS=1. To be awaited. */
export async function describeWithBrowser(title: string, suite: (browser: () => Browser) => void): Promise<void> {
  const isThere = await access(executablePath).then(
    () => true,
    () => false,
  )
  const missing = `there is no ${executablePath}; install Chromium (apt-get install chromium), or name yours in DROVER_CHROMIUM`
  if (!isThere && process.env['DROVER_REQUIRE_PEERS'] === '1') throw new Error(missing)
  if (!isThere) return skipSuite(title, missing)
  describe(title, () => {
    let browser: Browser | undefined
    beforeAll(async () => {
      browser = await chromium.launch({ executablePath, args: launchArgs })
    })
    afterAll(async () => {
      await browser?.close()
    })
    suite(() => {
      if (browser === undefined) throw new Error('the browser was not started')
      return browser
    })
  })
}

export interface ConsolePage extends AsyncDisposable {
  readonly page: Page
  readonly context: BrowserContext
  /** What the page complained about so far. */
  readonly complaints: readonly string[]
}

export interface ConsoleOptions {
  /** Where to go first; default: the overview. */
  readonly path?: string
  readonly colorScheme?: 'light' | 'dark'
}

/** A browser window that is signed in. */
export async function openConsole(browser: Browser, server: Server, options: ConsoleOptions = {}): Promise<ConsolePage> {
  const console_ = await openWindow(browser, options)
  const { data } = await server.api.createSignInLink({})
  await console_.page.goto(data.url)
  await console_.page.getByRole('navigation', { name: 'Main' }).waitFor()
  if (options.path !== undefined) await console_.page.goto(`${server.consoleUrl}${options.path}`)
  return console_
}

/** A browser window that nobody signed in. */
export async function openWindow(browser: Browser, options: ConsoleOptions = {}): Promise<ConsolePage> {
  const context = await browser.newContext({ viewport: { width: 1360, height: 900 }, colorScheme: options.colorScheme ?? 'light' })
  context.setDefaultTimeout(actionLimitMs)
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(`error: ${error.message}`))
  page.on('console', (message) => {
    if (message.type() === 'error' || /content security policy/i.test(message.text())) complaints.push(`console: ${message.text()} ${message.location().url}`)
  })
  return { page, context, complaints, [Symbol.asyncDispose]: () => context.close() }
}

/** What axe finds on the page as it is, one line per rule and place; all rules unless some are named. */
export async function axeFindings(page: Page, rules?: readonly string[]): Promise<readonly string[]> {
  const axe = new AxeBuilder({ page })
  const { violations } = await (rules === undefined ? axe : axe.withRules([...rules])).analyze()
  return violations.flatMap(({ id, impact, nodes }) =>
    nodes.map((node) => `${id} (${impact}): ${node.target.join(' ')}: ${node.failureSummary?.replaceAll('\n', ' ')}`),
  )
}
