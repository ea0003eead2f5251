import { CannotStart } from '../database/cannot-start.ts'
import type { Db, Scope } from '../database/connection.ts'
import { newId, type OrgId } from '../database/ids.ts'
import { migrate } from '../database/migrate.ts'
import { openDatabase } from '../database/open.ts'
import { inTransaction } from '../database/transaction.ts'
import { createApiToken } from '../organization/api-tokens.ts'
import { countOrganizations, createOrganization, findOrganization, onlyOrganization } from '../organization/organizations.ts'
import { type ServerConfig, usualOrg } from './config.ts'

/** An owner's API token, just made; the secret is shown once. */
export interface OwnerToken {
  org: string
  secret: string
  expiresAt: Date
}

/**
 * Makes the first organization and its owner's token, if the database has none.
 * @returns undefined where there is an organization already: nothing is changed
 */
export function makeFirstOwner(db: Db, slug: string, secret: string): Promise<OwnerToken | undefined> {
  return inTransaction(db, newOrganization(), async (trx) => {
    if ((await countOrganizations(trx)) > 0) return undefined
    await createOrganization(trx, { slug })
    const token = await createApiToken(trx, { name: 'MUSTER_ADMIN_TOKEN', role: 'owner', secret }, 'owner')
    return { org: slug, secret, expiresAt: token.expiresAt }
  })
}

/**
 * Makes an owner's API token from the server's own machine, without a token: whoever reaches the data folder or knows
 * DATABASE_URL owns the data anyway. Works beside the running server, or without one; makes the organization of
 * `config.org` on an empty database.
 * @throws CannotStart
 */
export async function createOwnerToken(config: ServerConfig, name = `admin ${new Date().toISOString()}`): Promise<OwnerToken> {
  const database = await openDatabase(config.database, { asVisitor: true, maxConnections: 1 })
  try {
    await migrate(database.connection)
    const scope = await organizationFor(database.db, config.org)
    const token = await inTransaction(database.db, scope, (trx) => createApiToken(trx, { name, role: 'owner' }, 'owner'))
    return { org: config.org, secret: token.secret, expiresAt: token.expiresAt }
  } finally {
    await database.close()
  }
}

/** How many organizations there are: none is a database that nobody can sign in to. */
export const organizationCount = (db: Db): Promise<number> => inTransaction(db, newOrganization(), countOrganizations)

/** The organization that is called so; where none is named, the only one there is. @throws CannotStart */
export async function organizationOf(db: Db, slug: string): Promise<Scope> {
  const scope = newOrganization()
  return inTransaction(db, scope, async (trx) => {
    const organization = (await findOrganization(trx, slug)) ?? (slug === usualOrg ? await onlyOrganization(trx) : undefined)
    if (organization) return { ...scope, orgId: organization.id }
    throw new CannotStart(`There is no organization "${slug}" in this database: set MUSTER_ORG to the one you mean.`)
  })
}

async function organizationFor(db: Db, slug: string): Promise<Scope> {
  if ((await organizationCount(db)) > 0) return organizationOf(db, slug)
  const scope = newOrganization()
  return inTransaction(db, scope, async (trx) => {
    await createOrganization(trx, { slug })
    return scope
  })
}

const newOrganization = (): Scope => ({ orgId: newId<OrgId>(), actor: 'system' })
