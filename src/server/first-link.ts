import { CannotStart } from '../database/cannot-start.ts'
import type { Db, Scope, Trx } from '../database/connection.ts'
import { newId, type OrgId } from '../database/ids.ts'
import { migrate } from '../database/migrate.ts'
import { openDatabase } from '../database/open.ts'
import { inTransaction } from '../database/transaction.ts'
import { findAdmin, listAdmins } from '../organization/admins.ts'
import { createLink, type Link } from '../organization/links.ts'
import { countOrganizations } from '../organization/organizations.ts'
import { inviteAdmin } from '../provisioning/existing-people.ts'
import type { ServerConfig } from './config.ts'
import { organizationOf } from './first-token.ts'

/** A link to the console, just made: its path, whom it signs in, until when. */
export interface PrintedLink {
  path: string
  /** Null: whoever opens it names the organization and becomes its owner. */
  person: string | null
  expiresAt: Date
}

/**
 * Makes a link to the console from the server's own machine, whatever else is broken: whoever reaches the data folder or knows DATABASE_URL
 * owns the data anyway. Works beside the running server, or without one. On an empty database the link sets the organization up.
 * @param email whom it signs in; one that does not sign in yet becomes an owner. Not said: the owner, where there is one alone
 * @throws CannotStart, Refusal
 */
export async function createConsoleLink(config: Pick<ServerConfig, 'database' | 'org'>, email?: string): Promise<PrintedLink> {
  const database = await openDatabase(config.database, { asVisitor: true, maxConnections: 1 })
  try {
    await migrate(database.connection)
    return (await setupLink(database.db)) ?? (await signInLink(database.db, config.org, email))
  } finally {
    await database.close()
  }
}

/** Makes a link that sets up the organization, on a database that has none; else undefined. */
export function setupLink(db: Db): Promise<PrintedLink | undefined> {
  const scope: Scope = { orgId: newId<OrgId>(), actor: 'system' }
  return inTransaction(db, scope, async (trx) =>
    (await countOrganizations(trx)) > 0 ? undefined : printed('/setup', await createLink(trx, null), null),
  )
}

async function signInLink(db: Db, org: string, email: string | undefined): Promise<PrintedLink> {
  const scope = await organizationOf(db, org)
  return inTransaction(db, scope, async (trx) => {
    const account = email === undefined ? await onlyOwner(trx) : await ownerOf(trx, email)
    return printed('/sign-in?now=true', await createLink(trx, account), account.userName)
  })
}

const printed = (page: string, { secret, expiresAt }: Link, person: string | null): PrintedLink => ({
  path: `${page}#${secret}`,
  person,
  expiresAt,
})

async function onlyOwner(trx: Trx) {
  const { items } = await listAdmins(trx, { role: 'owner' })
  const active = items.filter((owner) => owner.active)
  if (active.length === 1 && active[0]) return active[0]
  const names = active.map(({ userName }) => userName).join(', ')
  throw new CannotStart(
    active.length === 0
      ? 'Nobody signs in here as an owner: name who is to by --email.'
      : `Several people are owners: name one by --email (${names}).`,
  )
}

async function ownerOf(trx: Trx, email: string) {
  const { items } = await listAdmins(trx, { search: email })
  const known = items.find((admin) => [admin.userName, admin.email].includes(email))
  if (known) return known
  return findAdmin(
    trx,
    await inviteAdmin(trx, { person: email, role: 'owner' }, { role: 'owner', accountId: null, products: [] }),
  )
}
