import { AxeBuilder } from '@axe-core/playwright'
import sparticuz from '@sparticuz/chromium'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { afterAll } from 'vitest'
import { type StoredWorld, storeWorld } from '../review/stored-world.ts'
import { sampleWorld } from '../support/reference.ts'
import { test as base, expect } from '../support/world.ts'

export { expect }

/** Somebody at the console, signed in. */
export interface Visitor {
  page: Page
  /** Opens a path below the organization: `/directories/okta/review`. */
  opens(path: string): Promise<void>
  /** axe finds nothing on the page as it stands, in light and in dark. */
  isAccessible(): Promise<void>
}

interface Visits {
  sample: StoredWorld & { token: string }
  /** Signs somebody in, in a window of their own. */
  signsIn: (email: string, role?: 'owner' | 'auditor', view?: { width: number; height: number }) => Promise<Visitor>
  visitor: Visitor
}

const world = sampleWorld()
const usual = { width: 1440, height: 900 }

let browser: Promise<Browser> | undefined

/** One browser a file. Not sparticuz.args: they switch the web's safety off, and hide faults with it. */
function launched(): Promise<Browser> {
  browser ??= sparticuz.executablePath().then((executablePath) => chromium.launch({ executablePath, args: ['--no-sandbox'] }))
  return browser
}
afterAll(async () => (await browser)?.close())

/** Tests in a real browser, against the real server, on kubernetes-org as Okta has pushed it. */
export const test = base.extend<Visits>({
  sample: async ({ inOrg, org }, use) => {
    const { id, token } = await org.directory()
    await use({ ...(await inOrg((trx) => storeWorld(trx, world, id))), token })
  },
  signsIn: async ({ server, api, org, sample }, use) => {
    void sample
    const contexts: BrowserContext[] = []
    const wrong: string[] = []
    await use(async (email, role = 'owner', view = usual) => {
      const context = await (await launched()).newContext({ viewport: view, baseURL: server.url, reducedMotion: 'reduce' })
      contexts.push(context)
      context.setDefaultTimeout(45_000)
      const page = await context.newPage()
      watch(page, server.url, wrong)
      const { status, body } = await api('POST', '/admins', { person: email, role })
      expect(status, JSON.stringify(body)).toBe(201)
      const link = new URL(body.link.url ?? body.link.path, server.url).hash.slice(1)
      const answer = await page.request.post('/api/v1/sign-in/link', { data: { link }, headers: { origin: server.url } })
      expect(answer.status(), await answer.text()).toBe(200)
      return visitorOf(page, org.slug)
    })
    for (const context of contexts) await context.close()
    expect(wrong, 'what the browser complained of').toEqual([])
  },
  visitor: async ({ signsIn }, use) => use(await signsIn('maria@example.org')),
})

// No error, no violation of the Content-Security-Policy, and nothing from another host.
function watch(page: Page, url: string, wrong: string[]): void {
  page.on('console', (message) => {
    if (message.type() === 'error' && !/status of 4\d\d/.test(message.text())) wrong.push(message.text())
  })
  page.on('pageerror', (error) => wrong.push(error.message))
  page.on('request', (request) => {
    if (!request.url().startsWith(url) && !request.url().startsWith('blob:')) wrong.push(`asked for ${request.url()}`)
  })
}

function visitorOf(page: Page, slug: string): Visitor {
  return {
    page,
    opens: async (path) => void (await page.goto(`/o/${slug}${path}`)),
    isAccessible: async () => {
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme })
        // In dark, what is other: the colours.
        const axe = new AxeBuilder({ page })
        const { violations } = await (colorScheme === 'dark' ? axe.withRules(['color-contrast']) : axe).analyze()
        const found = violations.map(
          ({ id, nodes }) =>
            `${id}: ${nodes
              .slice(0, 3)
              .map(({ html }) => html.slice(0, 160))
              .join(' | ')}`,
        )
        expect(found, `${page.url()} in ${colorScheme}`).toEqual([])
      }
    },
  }
}
