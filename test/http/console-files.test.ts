import { expect, test } from '../support/world.ts'

// The console is built by `npm ci`.

test('every path that is nothing else is the console, which is never kept and may write styles by its nonce alone', async ({
  server,
}) => {
  for (const path of ['/', '/o/acme/directories/okta/review?effect=takes']) {
    const answer = await fetch(`${server.url}${path}`)
    const text = await answer.text()
    expect([answer.status, answer.headers.get('content-type'), answer.headers.get('cache-control')]).toEqual([
      200,
      'text/html; charset=utf-8',
      'no-store',
    ])
    const nonce = /name="csp-nonce" content="([^"]{24})"/.exec(text)?.[1]
    const policy = answer.headers.get('content-security-policy')
    expect(policy).toContain("default-src 'self'")
    expect(policy).toContain(`style-src 'self' 'nonce-${nonce}'`)
    expect(policy).not.toContain('unsafe')
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
    expect(text).not.toMatch(/<script>|<style|style="/)
  }
  const [one, other] = await Promise.all([1, 2].map(async () => (await fetch(server.url)).text()))
  expect(one).not.toBe(other)
  const head = await fetch(server.url, { method: 'HEAD' })
  expect([head.status, await head.text()]).toEqual([200, ''])
})

test('assets are kept for a year, compressed where that is asked for', async ({ server }) => {
  const page = await (await fetch(server.url)).text()
  const [path] = /\/assets\/[\w-]+\.js/.exec(page) ?? []
  const answer = await fetch(`${server.url}${path}`, { headers: { 'accept-encoding': 'gzip' } })
  expect(answer.status).toBe(200)
  expect(answer.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
  expect(answer.headers.get('content-encoding')).toBe('gzip')
  expect(answer.headers.get('content-type')).toMatch(/javascript/)
  expect((await fetch(`${server.url}/color-scheme.js`)).headers.get('cache-control')).toBe('no-cache')
})

test('no path of a protocol, no file that is missing, and no writing ends in the console', async ({ server }) => {
  for (const path of ['/api/v1/nothing', '/api', '/scim/v2/Nothing', '/scim', '/%61pi/v1', '//scim/v2/x', '/assets/nothing.js']) {
    const answer = await fetch(`${server.url}${path}`)
    expect([path, answer.status >= 400, answer.headers.get('content-type')?.includes('html')]).toEqual([path, true, false])
  }
  const written = await fetch(`${server.url}/o/acme`, { method: 'POST' })
  expect([written.status, written.headers.get('content-type')]).toEqual([404, expect.stringContaining('problem+json')])
  expect((await fetch(`${server.url}/assets/..%2f..%2fpackage.json`)).status).toBe(404)
})
