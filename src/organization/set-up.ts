import { sql } from 'kysely'
import type { Trx } from '../database/connection.ts'
import type { AccountId } from '../database/ids.ts'
import { createAccount } from './accounts.ts'
import { addAdmin } from './admins.ts'
import { linkNotValid, takeLink } from './links.ts'
import { countOrganizations, createOrganization } from './organizations.ts'
import { Refusal } from './refusal.ts'

/** What the first person says who opens a server that holds nothing. */
export interface Setup {
  link: string
  organization: string
  email: string
  displayName?: string | null | undefined
}

/** The first owner has every right, and is protected from every push. */
const firstOwner = { role: 'owner', accountId: null, products: [] } as const

/**
 * Makes the organization of a link, and its first owner. Only where there is none yet: two who hold links do not make two.
 * @throws Refusal `link_not_valid`, `invalid_value`
 */
export async function setUp(
  trx: Trx,
  { link, organization, email, displayName }: Setup,
): Promise<{ id: AccountId; userName: string }> {
  // Of two at the same moment one waits, and finds an organization.
  await sql`select pg_advisory_xact_lock(hashtextextended('set up', 0))`.execute(trx)
  if ((await takeLink(trx, link)) !== null || (await countOrganizations(trx)) > 0) throw linkNotValid()
  await createOrganization(trx, { slug: slugOf(organization), name: organization })
  if (!/^[^@\s]+@[^@\s]+$/.test(email.trim())) throw new Refusal('invalid_value', 'Give an e-mail, such as ada@example.org.')
  const account = { userName: email.trim(), email, displayName, isProtected: true, active: true }
  const id = await createAccount(trx, account)
  await addAdmin(trx, { id, userName: account.userName, active: true }, { role: 'owner' }, firstOwner)
  return { id, userName: account.userName }
}

// What a URL can hold of a name; a name of another script is none, and is called as an organization of no name is.
function slugOf(name: string): string {
  const slug = name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 63)
    .replace(/^-+|-+$/g, '')
  return slug || 'default'
}
