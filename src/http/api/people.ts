import { Type } from 'typebox'
import { inTransaction, reading } from '../../database/transaction.ts'
import { accessOfPerson } from '../../organization/access-lists.ts'
import { type ListedAccount, listAccounts } from '../../organization/account-list.ts'
import { type Account, accountById, createAccount, findAccount } from '../../organization/accounts.ts'
import { writeCsv } from '../../organization/csv.ts'
import { groupsOfPerson } from '../../organization/members.ts'
import { momentOf } from '../../organization/moment.ts'
import { accessChangesOfPerson, accessOfPersonAt } from '../../organization/past-access.ts'
import { askedOfAccount, permittedOfAccount } from '../../organization/permission.ts'
import { findDirectory } from '../../provisioning/directories.ts'
import { updatePerson } from '../../provisioning/existing-people.ts'
import { whyAccess } from '../../review/why.ts'
import type { ApiPlugin } from './api.ts'
import { csvFormat, ListedOrCsv, listingOrAll, sendCsv } from './csv-answer.ts'
import { Listed, listingOf, Page, pageWith } from './paging.ts'
import { since } from './past-shapes.ts'
import { WhySteps } from './review-shapes.ts'
import { Id, Nullable, OneOf, PastMoment, Time } from './shapes.ts'

const person = {
  id: Id,
  userName: Type.String(),
  email: Nullable(Type.String()),
  displayName: Nullable(Type.String()),
  active: Type.Boolean(),
  isProtected: Type.Boolean({ description: 'No push may adopt or switch off this account' }),
  ownedBy: Nullable(
    Type.Object({ id: Id, name: Type.String() }, { description: 'The directory whose word on profile and activity counts' }),
  ),
  createdAt: Time,
  updatedAt: Time,
  can: Type.Array(OneOf(askedOfAccount)),
  cannot: Type.Array(Type.Object({ what: OneOf(askedOfAccount), why: Type.String() })),
}
const Person = Type.Object(person)
const ListedPerson = Type.Object({ ...person, groupCount: Type.Integer() })

const profile = {
  email: Type.Optional(Nullable(Type.String())),
  displayName: Type.Optional(Nullable(Type.String())),
  active: Type.Optional(Type.Boolean()),
}
const Params = Type.Object({ person: Type.String({ description: 'Id, user name or e-mail' }) })
const tags = ['people']

const Access = Type.Object({
  site: Type.String(),
  product: Type.String(),
  role: Type.String(),
  roleId: Id,
  isAdministrative: Type.Boolean(),
  through: Type.Array(Type.String(), { description: 'Names of the groups that give it' }),
})
const { through: _, ...accessItself } = Access.properties
const AccessChange = Type.Object({ ...accessItself, ...since })
const MemberGroup = Type.Object({
  id: Id,
  name: Type.String(),
  managedBy: Nullable(Type.String()),
  grantCount: Type.Integer(),
  since: Time,
})

const Why = Type.Object({
  access: Type.Boolean(),
  ifSynced: Type.Object(
    { access: Type.Boolean(), through: Type.Array(Type.String()) },
    { description: 'What would be so if the pushed groups that `sync` names were synced, or all' },
  ),
  person: Type.Object({ id: Id, userName: Type.String() }),
  site: Type.String(),
  product: Type.String(),
  role: Type.String(),
  through: Type.Array(Type.String(), { description: 'Names of the groups that give the access' }),
  broken: Type.Optional(Type.String({ description: 'The first link that does not hold, in words' })),
  steps: WhySteps,
})

const personColumns = {
  user_name: ({ userName }: ListedAccount) => userName,
  email: ({ email }: ListedAccount) => email,
  display_name: ({ displayName }: ListedAccount) => displayName,
  active: ({ active }: ListedAccount) => active,
  groups: ({ groupCount }: ListedAccount) => groupCount,
  directory: ({ ownedBy }: ListedAccount) => ownedBy?.name,
}

const shown = <A extends Account>(account: A) => ({
  ...account,
  ...permittedOfAccount({ userName: account.userName, ownedBy: account.ownedBy?.name ?? null }),
})

/** The people of the organization, what they may do, and why. */
export const peopleApi: ApiPlugin = async (app, { db }) => {
  app.get(
    '/people',
    {
      schema: {
        operationId: 'listPeople',
        tags,
        summary: 'The people of the organization',
        description: 'Sorted by name, email, displayName, active, groups, createdAt or updatedAt.',
        querystring: pageWith({
          active: Type.Optional(Type.Boolean()),
          directory: Type.Optional(
            Type.String({ description: 'A directory that owns them, by id or name; `none` for people whom none owns' }),
          ),
          ...csvFormat,
        }),
        response: { 200: ListedOrCsv(ListedPerson) },
      },
    },
    async ({ scope, query }, reply) => {
      const { total, items } = await reading(db, scope, async (reader) => {
        const { active, directory } = query
        const ownedBy =
          directory === undefined ? undefined : directory === 'none' ? null : (await findDirectory(reader, directory)).id
        return listAccounts(reader, listingOrAll(query), { active, ownedBy })
      })
      return query.format === 'csv'
        ? sendCsv(reply, 'people', writeCsv(personColumns, items))
        : { total, items: items.map(shown) }
    },
  )

  app.post(
    '/people',
    {
      schema: {
        operationId: 'createPerson',
        tags,
        summary: 'Create a person whom no directory owns',
        body: Type.Object({ userName: Type.String(), ...profile }, { additionalProperties: false }),
        response: { 201: Person },
      },
    },
    async ({ scope, body }, reply) => {
      const account = await inTransaction(db, scope, async (trx) => accountById(trx, await createAccount(trx, body)))
      return reply.code(201).send(shown(account))
    },
  )

  app.get(
    '/people/:person',
    {
      schema: {
        operationId: 'showPerson',
        tags,
        summary: 'A person, and what may be done to them',
        params: Params,
        response: { 200: Person },
      },
    },
    async ({ scope, params }) => reading(db, scope, async (reader) => shown(await findAccount(reader, params.person))),
  )

  app.patch(
    '/people/:person',
    {
      schema: {
        operationId: 'updatePerson',
        tags,
        summary: "Change a person's profile, switch them on or off, or protect them",
        params: Params,
        body: Type.Object(
          { userName: Type.Optional(Type.String()), ...profile, isProtected: Type.Optional(Type.Boolean()) },
          { additionalProperties: false },
        ),
        response: { 200: Person },
      },
    },
    async ({ scope, token, params, body }) => {
      const person = await inTransaction(db, scope, async (trx) => {
        const { id } = await findAccount(trx, params.person)
        await updatePerson(trx, id, body, token)
        return shown(await accountById(trx, id))
      })
      if (body.active === false) app.forgetTokens()
      return person
    },
  )

  app.get(
    '/people/:person/groups',
    {
      schema: {
        operationId: 'listPersonGroups',
        tags,
        summary: 'The groups a person is in, as is in force',
        description: 'Sorted by name or since.',
        params: Params,
        querystring: Page,
        response: { 200: Listed(MemberGroup) },
      },
    },
    async ({ scope, params, query }) =>
      reading(db, scope, async (reader) =>
        groupsOfPerson(reader, (await findAccount(reader, params.person)).id, listingOf(query)),
      ),
  )

  app.get(
    '/people/:person/access',
    {
      schema: {
        operationId: 'listPersonAccess',
        tags,
        summary: 'What a person may do, or could do at a moment, and through which groups',
        description: 'Sorted by site, product, role or isAdministrative.',
        params: Params,
        querystring: pageWith({ at: Type.Optional(PastMoment('As of then')) }),
        response: { 200: Listed(Access) },
      },
    },
    async ({ scope, params, query }) =>
      reading(db, scope, async (reader) => {
        const { id } = await findAccount(reader, params.person)
        if (query.at === undefined) return accessOfPerson(reader, id, listingOf(query))
        return accessOfPersonAt(reader, id, await momentOf(reader, query.at), listingOf(query))
      }),
  )

  app.get(
    '/people/:person/access/changes',
    {
      schema: {
        operationId: 'listPersonAccessChanges',
        tags,
        summary: 'What a person may do now and could not at a moment, and the other way round',
        description: 'Sorted by site, product, role or isAdministrative.',
        params: Params,
        querystring: pageWith({ since: PastMoment('Compared with') }),
        response: { 200: Listed(AccessChange) },
      },
    },
    async ({ scope, params, query }) =>
      reading(db, scope, async (reader) => {
        const { id } = await findAccount(reader, params.person)
        return accessChangesOfPerson(reader, id, await momentOf(reader, query.since), listingOf(query))
      }),
  )

  app.get(
    '/people/:person/access/why',
    {
      schema: {
        operationId: 'whyAccess',
        tags,
        summary: 'Why a person has an access, or why not',
        params: Params,
        querystring: Type.Object(
          {
            site: Type.String(),
            product: Type.String(),
            role: Type.String(),
            sync: Type.Optional(
              Type.Array(Type.String({ maxLength: 255 }), {
                maxItems: 1_000,
                description: 'Names or ids of pushed groups; all where it is not said',
              }),
            ),
          },
          { additionalProperties: false },
        ),
        response: { 200: Why },
      },
    },
    async ({ scope, params, query }) =>
      reading(db, scope, async (reader) => whyAccess(reader, await findAccount(reader, params.person), query, query.sync)),
  )
}
