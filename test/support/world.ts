import { test as base, expect } from 'vitest'
import type { Db, Scope, Trx } from '../../src/database/connection.ts'
import { newId, type OrgId } from '../../src/database/ids.ts'
import type { ApiRole } from '../../src/database/tables.ts'
import { inTransaction } from '../../src/database/transaction.ts'
import { createApiToken } from '../../src/organization/api-tokens.ts'
import { createOrganization } from '../../src/organization/organizations.ts'
import { createDirectory, type Directory, type DirectorySettings } from '../../src/provisioning/directories.ts'
import { createDirectoryToken } from '../../src/provisioning/tokens.ts'
import { type Client, clientOf } from './clients.ts'
import { copyDatabase, type DatabaseCopy } from './database-copy.ts'
import { createSecondOrganization, rowsOf } from './second-organization.ts'
import { startTestServer, type TestServer } from './server.ts'

export { expect }

/** The organization of one test. */
export interface TestOrganization {
  id: OrgId
  slug: string
  scope: Scope
  /** An owner's API token, which `api` sends unless told otherwise. */
  adminToken: string
  /** Makes an API token of a role. */
  token(role: ApiRole): Promise<string>
  /** Makes a directory with a SCIM token. Quiet time 0 unless given: nothing is filling. */
  directory(given?: Partial<DirectorySettings> & { observing?: boolean }): Promise<Directory & { token: string }>
}

interface World {
  /** The pool of this file's database. */
  db: Db
  org: TestOrganization
  /** One transaction of the test's organization. */
  inOrg: <T>(work: (trx: Trx) => Promise<T>) => Promise<T>
  /** The real server on this file's database, with workers. */
  server: TestServer
  /** `api('GET', '/groups')`: the admin API, path below /api/v1, as the organization's owner. */
  api: Client
  /** `scim('GET', '/Groups', undefined, { token })`: path below /scim/v2; no token unless given. */
  scim: Client
  /** The organization that is never touched: each test ends by finding every row of it as it was. */
  second: Scope
}

interface FileWorld {
  database: DatabaseCopy
  fileServer: TestServer
  secondOrganization: Scope
}

/** Vitest's `test` with a world: a database of the file's own, an organization of the test's own, and another one beside it. */
export const test = base.extend<World & { $file: FileWorld; $test: World }>({
  // biome-ignore-start lint/correctness/noEmptyPattern: Vitest reads from the pattern what a fixture needs.
  database: [
    async ({}, use) => {
      const copy = await copyDatabase()
      await use(copy)
      await copy.drop()
    },
    { scope: 'file' },
  ],
  // biome-ignore-end lint/correctness/noEmptyPattern: see above
  fileServer: [
    async ({ database }, use) => {
      const server = await startTestServer(database)
      await use(server)
      await server.stop()
    },
    { scope: 'file' },
  ],
  secondOrganization: [async ({ database }, use) => use(await createSecondOrganization(database.db)), { scope: 'file' }],
  second: [
    async ({ database, secondOrganization }, use) => {
      const before = await rowsOf(database.db, secondOrganization)
      await use(secondOrganization)
      expect(await rowsOf(database.db, secondOrganization), 'the second organization was touched').toEqual(before)
    },
    { auto: true },
  ],
  db: async ({ database }, use) => use(database.db),
  org: async ({ database }, use) => use(await createTestOrganization(database.db)),
  inOrg: async ({ database, org }, use) => use((work) => inTransaction(database.db, org.scope, work)),
  server: async ({ fileServer }, use) => use(fileServer),
  api: [
    async ({ fileServer, org }, use) => use(clientOf(`${fileServer.url}/api/v1`, 'application/json', org.adminToken)),
    { scope: 'test' },
  ],
  scim: [
    async ({ fileServer }, use) => use(clientOf(`${fileServer.url}/scim/v2`, 'application/scim+json', undefined)),
    { scope: 'test' },
  ],
})

export async function createTestOrganization(db: Db): Promise<TestOrganization> {
  const id = newId<OrgId>()
  const slug = `org-${id}`
  const scope: Scope = { orgId: id, actor: 'token:tests' }
  const token = (role: ApiRole) =>
    inTransaction(db, scope, async (trx) => (await createApiToken(trx, { name: `tests ${role}`, role }, 'owner')).secret)
  await inTransaction(db, scope, (trx) => createOrganization(trx, { slug }))
  return {
    id,
    slug,
    scope,
    token,
    adminToken: await token('owner'),
    directory: (given = {}) =>
      inTransaction(db, scope, async (trx) => {
        const directory = await createDirectory(trx, { name: 'okta', provider: 'okta', quietSeconds: 0, ...given })
        return { ...directory, token: (await createDirectoryToken(trx, directory.id)).secret }
      }),
  }
}
