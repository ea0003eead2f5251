import { sql } from 'kysely'
import type { Reader, Trx } from '../database/connection.ts'
import type { OrgId } from '../database/ids.ts'
import { appendLog, changeOf } from './log.ts'
import { Refusal } from './refusal.ts'

/** The tenant. Everything belongs to one, and nothing crosses over. */
export interface Organization {
  id: OrgId
  /** Its name in URLs and on the command line. */
  slug: string
  name: string
  createdAt: Date
  approval: ApprovalSetting
}

/** Which runs need a second person's approval, and how long they wait for it. */
export interface ApprovalSetting {
  /** Those that take access from more people; null: none. */
  peopleLosing: number | null
  expiresHours: number
}

const columns = [
  'id',
  'slug',
  'name',
  'created_at as createdAt',
  sql<ApprovalSetting>`json_build_object('peopleLosing', approval_over, 'expiresHours', approval_hours)`.as('approval'),
] as const

/** Makes the organization that the transaction is of (`trx.orgId`, from `newId`).
 * @throws Refusal `invalid_value`, `name_taken` */
export async function createOrganization(trx: Trx, given: { slug: string; name?: string }): Promise<Organization> {
  const slug = given.slug.trim()
  const name = (given.name ?? slug).normalize('NFC').trim()
  if (!/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(slug)) {
    throw new Refusal(
      'invalid_value',
      'An organization is called by 1 to 63 of a to z, 0 to 9 and -, beginning and ending with a letter or digit.',
    )
  }
  if (name === '' || name.length > 255) throw new Refusal('invalid_value', 'An organization has a name of 1 to 255 characters.')
  if (await findOrganization(trx, slug))
    throw new Refusal('name_taken', `An organization "${slug}" already exists. Take another name.`, { slug })
  const organization = await trx
    .insertInto('organizations')
    .values({ id: trx.orgId, slug, name })
    .returning(columns)
    .executeTakeFirstOrThrow()
  await appendLog(trx, { action: 'organization.created', subject: trx.orgId, facts: { after: { slug, name } } })
  return organization
}

/** Finds an organization by its slug. Readable from any organization's transaction: the table holds names only. */
export function findOrganization(reader: Reader, slug: string): Promise<Organization | undefined> {
  return reader.selectFrom('organizations').select(columns).where('slug', '=', slug).executeTakeFirst()
}

/** The organization that there is, where there is one alone. */
export async function onlyOrganization(reader: Reader): Promise<Organization | undefined> {
  const all = await reader.selectFrom('organizations').select(columns).limit(2).execute()
  return all.length === 1 ? all[0] : undefined
}

/** The organization of the transaction. */
export function thisOrganization(reader: Reader): Promise<Organization> {
  return reader.selectFrom('organizations').select(columns).where('id', '=', reader.orgId).executeTakeFirstOrThrow()
}

/** Sets which runs need approval; what is left out stays. Runs that were asked for before stay as they are. */
export async function setApproval(trx: Trx, given: Partial<ApprovalSetting>): Promise<Organization> {
  await sql`select from organizations where id = ${trx.orgId} for no key update`.execute(trx)
  const { approval: have } = await thisOrganization(trx)
  const { before, after } = changeOf(have, given)
  if (Object.keys(after).length > 0) {
    const { peopleLosing, expiresHours } = { ...have, ...after }
    await trx
      .updateTable('organizations')
      .set({ approval_over: peopleLosing, approval_hours: expiresHours })
      .where('id', '=', trx.orgId)
      .execute()
    await appendLog(trx, {
      action: 'organization.updated',
      subject: trx.orgId,
      facts: { before: { approval: before }, after: { approval: after } },
    })
  }
  return thisOrganization(trx)
}

/** How many organizations there are in this database. */
export async function countOrganizations(reader: Reader): Promise<number> {
  const { count } = await reader.selectFrom('organizations').select(sql<string>`count(*)`.as('count')).executeTakeFirstOrThrow()
  return Number(count)
}
