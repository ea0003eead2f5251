import { newId, type OrgId } from '../../src/database/ids.ts'
import { inTransaction } from '../../src/database/transaction.ts'
import {
  countOrganizations,
  createOrganization,
  findOrganization,
  thisOrganization,
} from '../../src/organization/organizations.ts'
import { expect, test } from '../support/world.ts'

test('an organization is made once, and found by its slug', async ({ db, inOrg }) => {
  const scope = { orgId: newId<OrgId>(), actor: 'system' }
  const before = await inOrg(countOrganizations)
  const made = await inTransaction(db, scope, (trx) => createOrganization(trx, { slug: 'acme', name: 'Acme' }))
  expect(made).toMatchObject({ id: scope.orgId, slug: 'acme', name: 'Acme' })
  expect(await inOrg((trx) => findOrganization(trx, 'acme'))).toEqual(made)
  expect(await inTransaction(db, scope, thisOrganization)).toEqual(made)
  expect(await inOrg(countOrganizations)).toBe(before + 1)
  const again = inTransaction(db, { ...scope, orgId: newId<OrgId>() }, (trx) => createOrganization(trx, { slug: 'acme' }))
  await expect(again).rejects.toMatchObject({ code: 'name_taken' })
})

test('a slug is what a URL and a command line can carry', async ({ db }) => {
  for (const slug of ['', 'Acme', 'a b', '-a', 'a/b', 'a'.repeat(64)]) {
    const made = inTransaction(db, { orgId: newId<OrgId>(), actor: 'system' }, (trx) => createOrganization(trx, { slug }))
    await expect(made, slug).rejects.toMatchObject({ code: 'invalid_value' })
  }
})
