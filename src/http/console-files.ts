import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import serveFiles from '@fastify/static'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

const built = join(import.meta.dirname, '../../dist/console')

/** Answers a path of the console with its page; false where the path is none, or the console is not built. */
export type SendConsole = (request: FastifyRequest, reply: FastifyReply) => boolean

/**
 * The console: hashed assets that a browser keeps, and one page for every other path, which is never kept.
 * Mantine writes `<style>` elements: they have a nonce of the answer, and nothing else may (rule 33).
 */
export async function consoleFiles(app: FastifyInstance): Promise<SendConsole> {
  if (!existsSync(join(built, 'index.html'))) return () => false
  const [before, after] = readFileSync(join(built, 'index.html'), 'utf8').split('name="csp-nonce" content="')
  await app.register(serveFiles, {
    root: built,
    // Each file a route: a path that no file has falls through, to an error or to the page.
    wildcard: false,
    preCompressed: true,
    index: false,
    globIgnore: ['index.html', '**/*.gz'],
    cacheControl: false,
    setHeaders: (reply, path) =>
      reply.header('cache-control', path.includes('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache'),
  })
  return (request, reply) => {
    const isPage = /^(GET|HEAD)$/.test(request.method) && !/^\/(assets|readyz|livez)(\/|$)/.test(request.url)
    if (!isPage) return false
    const nonce = randomBytes(18).toString('base64')
    const policy = `${reply.getHeader('content-security-policy')}; style-src 'self' 'nonce-${nonce}'`
    reply
      .headers({ 'content-security-policy': policy, 'cache-control': 'no-store' })
      .type('text/html; charset=utf-8')
      .send(`${before}name="csp-nonce" content="${nonce}${after}`)
    return true
  }
}
