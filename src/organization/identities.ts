import { sql } from 'kysely'
import type { Trx } from '../database/connection.ts'
import type { AccountId } from '../database/ids.ts'
import { appendLog } from './log.ts'
import { nameKey } from './name-key.ts'
import { Refusal } from './refusal.ts'

/** Whom a provider says it has signed in: issuer and subject are the person; the e-mail is only how they are met first. */
export interface Identified {
  issuer: string
  subject: string
  email: string | null
  isEmailVerified: boolean
}

/**
 * The person of an identity: the one who signed in by it before; the first time, the one who is invited by its e-mail, if the provider has
 * verified it (rule 35).
 * @throws Refusal `not_invited`
 */
export async function personOf(trx: Trx, identified: Identified): Promise<AccountId> {
  const { issuer, subject, email, isEmailVerified } = identified
  const known = await sql<{ id: AccountId }>`
    select account_id as id from identities where org_id = ${trx.orgId} and issuer = ${issuer} and subject = ${subject}`.execute(
    trx,
  )
  if (known.rows[0]) return known.rows[0].id
  const invited = await sql<{ id: AccountId; isTaken: boolean }>`
    select a.id, exists (select from identities i where i.org_id = m.org_id and i.account_id = m.account_id and i.issuer = ${issuer}) as "isTaken"
    from admins m join accounts a on a.org_id = m.org_id and a.id = m.account_id
    where m.org_id = ${trx.orgId} and a.email_key = ${email === null ? null : nameKey(email)} and a.active limit 2`.execute(trx)
  const [person, another] = isEmailVerified ? invited.rows : []
  // An e-mail that went to another person at the provider does not open the first one's rights.
  if (person === undefined || another !== undefined || person.isTaken) throw notInvited(identified)
  await connectIdentity(trx, person.id, identified)
  return person.id
}

/** Has a person sign in by an identity from now on. @throws Refusal `invalid_value` where it is another's */
export async function connectIdentity(trx: Trx, accountId: AccountId, { issuer, subject }: Identified): Promise<void> {
  const { rows } = await sql<{ accountId: AccountId; isNew: boolean }>`
    insert into identities (org_id, issuer, subject, account_id) values (${trx.orgId}, ${issuer}, ${subject}, ${accountId})
    on conflict (org_id, issuer, subject) do update set issuer = excluded.issuer
    returning account_id as "accountId", xmax = 0 as "isNew"`.execute(trx)
  if (rows[0]?.accountId !== accountId) throw new Refusal('invalid_value', 'Somebody else signs in here by this identity.')
  if (rows[0]?.isNew)
    await appendLog(trx, { action: 'identity.connected', subject: accountId, facts: { issuer, after: { issuer, subject } } })
}

function notInvited({ email, isEmailVerified }: Identified): Refusal {
  const why =
    email === null || isEmailVerified
      ? `${email ?? 'This person'} is not invited here.`
      : `The provider has not verified the e-mail ${email}, so it does not say who this is.`
  return new Refusal('not_invited', `${why} Ask an owner for a link, and connect the provider once you are signed in.`)
}
