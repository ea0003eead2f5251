import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from '../support/world.ts'

interface Operation {
  operationId?: string
  summary?: string
  tags?: string[]
  responses: Record<string, unknown>
  parameters?: { name: string; in: string }[]
}
interface Document {
  openapi: string
  info: { title: string; version: string }
  security: unknown
  components: { securitySchemes: unknown; schemas: Record<string, unknown> }
  paths: Record<string, Record<string, Operation>>
}

const read = async (url: string) => (await (await fetch(`${url}/api/openapi.json`)).json()) as Document

test('the document is OpenAPI 3.1, readable without a token', async ({ server }) => {
  const document = await read(server.url)
  expect(document).toMatchObject({
    openapi: '3.1.0',
    info: { title: 'Muster', version: '0.0.0-test' },
    security: [{ bearer: [] }],
    components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } }, schemas: { Problem: expect.any(Object) } },
  })
})

test('every operation has an id of its own, a summary, a tag, a described answer, and a problem for the rest', async ({
  server,
}) => {
  const { paths } = await read(server.url)
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ at: `${method} ${path}`, path, ...operation })),
  )
  expect(new Set(operations.map((operation) => operation.operationId)).size).toBe(operations.length)
  for (const { at, path, operationId, summary, tags, responses, parameters = [] } of operations) {
    expect(path, at).toMatch(/^\/api\/v1\//)
    expect([operationId, summary, tags?.length], at).toEqual([expect.any(String), expect.any(String), 1])
    expect(Object.keys(responses).filter((status) => /^[23]\d\d$/.test(status)).length, at).toBeGreaterThan(0)
    expect(responses, at).toHaveProperty('default')
    const inPath = parameters.filter((parameter) => parameter.in === 'path').map((parameter) => `{${parameter.name}}`)
    expect(inPath, at).toEqual(path.match(/\{\w+\}/g) ?? [])
  }
})

test('every reference leads somewhere, and SCIM is described by SCIM itself', async ({ server }) => {
  const document = await read(server.url)
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map((match) => match[1] ?? '')
  expect(references.length).toBeGreaterThan(0)
  for (const reference of references) {
    const place = reference.split('/').reduce<unknown>((value, key) => (value as Record<string, unknown>)?.[key], document)
    expect(place, reference).toBeDefined()
  }
  expect(Object.keys(document.paths).filter((path) => path.includes('scim'))).toEqual([])
})

test('every route of every file is in the document', async ({ server }) => {
  const { paths } = await read(server.url)
  const folder = new URL('../../src/http/api/', import.meta.url)
  const routes = readdirSync(folder)
    .filter((file) => file !== 'openapi.ts')
    .flatMap((file) =>
      [
        ...readFileSync(new URL(file, folder), 'utf8').matchAll(/\bapp\.(get|post|put|patch|delete)(?:<[^(]*>)?\(\s*'([^']+)'/g),
      ].map(([, method = '', path = '']) => ({ method, path: `/api/v1${path.replaceAll(/:(\w+)/g, '{$1}')}` })),
    )
  expect(routes.length).toBeGreaterThan(30)
  for (const { method, path } of routes) expect(paths[path] ?? {}, `${method} ${path}`).toHaveProperty(method)
})
