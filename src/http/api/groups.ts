import { Type } from 'typebox'
import { inTransaction, reading } from '../../database/transaction.ts'
import { accountIdsOf, findAccount } from '../../organization/accounts.ts'
import { writeCsv } from '../../organization/csv.ts'
import { findGroup, type Group as GroupOf, listGroups } from '../../organization/groups.ts'
import { listMembers } from '../../organization/members.ts'
import { momentOf } from '../../organization/moment.ts'
import { changesOfMembers, groupEver, type MemberThen, membersAt } from '../../organization/past-access.ts'
import { offeredOfGroup, permittedOfGroup } from '../../organization/permission.ts'
import { findDirectory } from '../../provisioning/directories.ts'
import { changeGroup, changeMembers, createGroup } from '../../provisioning/existing-groups.ts'
import { whyGroup, whyMember } from '../../review/why-group.ts'
import { deleteAsShown, deletionOf } from '../../sync/delete-and-restore.ts'
import { largeBodyLimit } from '../content.ts'
import type { ApiPlugin } from './api.ts'
import { csvFormat, ListedOrCsv, listingOrAll, sendCsv } from './csv-answer.ts'
import { Listed, listingOf, pageWith } from './paging.ts'
import { Change } from './past-shapes.ts'
import { WhySteps } from './review-shapes.ts'
import { Id, NoContent, Nullable, OneOf, PastMoment, ThroughGroup, Time } from './shapes.ts'

const Group = Type.Object({
  id: Id,
  name: Type.String(),
  description: Nullable(Type.String()),
  memberCount: Type.Integer(),
  grantCount: Type.Integer(),
  isDefaultAccess: Type.Boolean(),
  isProtected: Type.Boolean({ description: 'No push may take it over' }),
  managedBy: Nullable(Type.Object({ id: Id, name: Type.String() }, { description: 'The directory that alone may change it' })),
  pushedBy: Nullable(
    Type.Object(
      { id: Id, name: Type.String(), state: Type.String() },
      { description: 'The directory that pushes a group of its name' },
    ),
  ),
  createdAt: Time,
  updatedAt: Time,
  can: Type.Array(OneOf(offeredOfGroup)),
  cannot: Type.Array(Type.Object({ what: OneOf(offeredOfGroup), why: Type.String() })),
})

const Member = Type.Object({
  id: Id,
  userName: Type.String(),
  email: Nullable(Type.String()),
  displayName: Nullable(Type.String()),
  active: Type.Boolean(),
  since: Type.Optional(Time),
})
const { since: _, ...person } = Member.properties
const MemberChange = Type.Object({ ...person, change: Change })

const WhyGroup = Type.Object({
  group: Type.Object({ id: Id, name: Type.String() }),
  person: Nullable(Type.Object({ id: Id, userName: Type.String() })),
  holds: Type.Boolean({ description: 'The group is as it is pushed; the person is in it' }),
  ifSynced: Type.Boolean({ description: 'The same if what is pushed of it were synced' }),
  broken: Type.Optional(Type.String({ description: 'The first link that does not hold, in words' })),
  steps: WhySteps,
})

const Params = Type.Object({
  group: Type.String({ description: 'Id or name; a name is percent-encoded: `kubernetes%2Fsig-docs`' }),
})
const tags = ['groups']
const Description = Type.Optional(Nullable(Type.String()))
const People = Type.Optional(Type.Array(Type.String(), { maxItems: 150_000, description: 'Ids, user names or e-mails' }))

const groupColumns = {
  group: ({ name }: GroupOf) => name,
  description: ({ description }: GroupOf) => description,
  members: ({ memberCount }: GroupOf) => memberCount,
  grants: ({ grantCount }: GroupOf) => grantCount,
  default_access: ({ isDefaultAccess }: GroupOf) => isDefaultAccess,
  protected: ({ isProtected }: GroupOf) => isProtected,
  managed_by: ({ managedBy }: GroupOf) => managedBy?.name,
}
const memberColumns = {
  user_name: ({ userName }: MemberThen) => userName,
  email: ({ email }: MemberThen) => email,
  display_name: ({ displayName }: MemberThen) => displayName,
  active: ({ active }: MemberThen) => active,
  since: ({ since }: MemberThen & { since?: Date }) => since,
}

const shown = (group: GroupOf) => ({ ...group, ...permittedOfGroup(standingOf(group)) })

function standingOf({ name, isProtected, managedBy, pushedBy }: GroupOf) {
  const isPaired = pushedBy !== null && pushedBy.state !== 'blocked' && pushedBy.state !== 'ignored'
  return { name, isProtected, managedBy: managedBy?.name ?? null, pairedWith: isPaired ? pushedBy.name : null }
}

/** Groups that are in force, and who is in them. What a directory manages is read-only here. */
export const groupsApi: ApiPlugin = async (app, { db }) => {
  app.get(
    '/groups',
    {
      schema: {
        operationId: 'listGroups',
        tags,
        summary: 'The groups that are in force',
        description:
          'Sorted by name, members, grants, managedBy, createdAt or updatedAt; the search looks into descriptions too.',
        querystring: pageWith({
          managedBy: Type.Optional(
            Type.String({ description: 'A directory, by id or name; `none` for groups that none manages' }),
          ),
          protected: Type.Optional(Type.Boolean()),
          defaultAccess: Type.Optional(Type.Boolean()),
          ...csvFormat,
        }),
        response: { 200: ListedOrCsv(Group) },
      },
    },
    async ({ scope, query }, reply) => {
      const { total, items } = await reading(db, scope, async (reader) => {
        const { managedBy } = query
        const directory =
          managedBy === undefined ? undefined : managedBy === 'none' ? null : (await findDirectory(reader, managedBy)).id
        return listGroups(reader, listingOrAll(query), {
          managedBy: directory,
          isProtected: query.protected,
          isDefaultAccess: query.defaultAccess,
        })
      })
      return query.format === 'csv' ? sendCsv(reply, 'groups', writeCsv(groupColumns, items)) : { total, items: items.map(shown) }
    },
  )

  app.post(
    '/groups',
    {
      schema: {
        operationId: 'createGroup',
        tags,
        summary: 'Create a group that no directory manages',
        body: Type.Object({ name: Type.String(), description: Description }, { additionalProperties: false }),
        response: { 201: Group },
      },
    },
    async ({ scope, body }, reply) => {
      const group = await inTransaction(db, scope, async (trx) => shown(await findGroup(trx, await createGroup(trx, body))))
      return reply.code(201).send(group)
    },
  )

  app.get(
    '/groups/:group',
    {
      schema: {
        operationId: 'showGroup',
        tags,
        summary: 'A group, and what may be done to it',
        params: Params,
        response: { 200: Group },
      },
    },
    async ({ scope, params }) => reading(db, scope, async (reader) => shown(await findGroup(reader, params.group))),
  )

  app.patch(
    '/groups/:group',
    {
      schema: {
        operationId: 'updateGroup',
        tags,
        summary: 'Rename, describe or protect a group',
        params: Params,
        body: Type.Object(
          { name: Type.Optional(Type.String()), description: Description, isProtected: Type.Optional(Type.Boolean()) },
          { additionalProperties: false },
        ),
        response: { 200: Group },
      },
    },
    async ({ scope, params, body }) =>
      inTransaction(db, scope, async (trx) => {
        const { id } = await findGroup(trx, params.group)
        await changeGroup(trx, id, body)
        return shown(await findGroup(trx, id))
      }),
  )

  app.delete(
    '/groups/:group',
    {
      schema: {
        operationId: 'deleteGroup',
        tags,
        summary: 'Delete a group with its members and grants; it can be restored for 30 days',
        params: Params,
        querystring: Type.Object({
          fingerprint: Type.Optional(
            Type.String({ description: 'Of the deletion that was shown; where it would take something else by now: 409' }),
          ),
        }),
        response: { 204: NoContent },
      },
    },
    async ({ scope, params, query }, reply) => {
      await inTransaction(db, scope, async (trx) => deleteAsShown(trx, await findGroup(trx, params.group), query.fingerprint))
      return reply.code(204).send()
    },
  )

  app.get(
    '/groups/:group/why',
    {
      schema: {
        operationId: 'whyGroup',
        tags,
        summary: 'Why a group is as it is; with a person, why they are in it or not',
        params: Params,
        querystring: Type.Object({ person: Type.Optional(Type.String({ maxLength: 1_024 })) }, { additionalProperties: false }),
        response: { 200: WhyGroup },
      },
    },
    async ({ scope, params, query }) =>
      reading(db, scope, async (reader) => {
        const group = await findGroup(reader, params.group)
        return query.person === undefined
          ? whyGroup(reader, group)
          : whyMember(reader, group, await findAccount(reader, query.person))
      }),
  )

  app.get(
    '/groups/:group/deletion',
    {
      schema: {
        operationId: 'showGroupDeletion',
        tags,
        summary: 'What deleting a group would take',
        params: Params,
        response: { 200: Type.Object({ id: Id, name: Type.String(), takes: ThroughGroup }) },
      },
    },
    async ({ scope, params }) =>
      reading(db, scope, async (reader) => {
        const { id, name } = await findGroup(reader, params.group)
        return { id, name, takes: await deletionOf(reader, { id }) }
      }),
  )

  app.get(
    '/groups/:group/members',
    {
      schema: {
        operationId: 'listGroupMembers',
        tags,
        summary: 'Who is in a group, as is in force, or was at a moment',
        description: 'Sorted by name, email, displayName, active or, but of the past, since. `active` is as of now.',
        params: Params,
        querystring: pageWith({ at: Type.Optional(PastMoment('As of then; of a deleted group too')), ...csvFormat }),
        response: { 200: ListedOrCsv(Member) },
      },
    },
    async ({ scope, params, query }, reply) => {
      const list = await reading(db, scope, async (reader) => {
        if (query.at === undefined) return listMembers(reader, (await findGroup(reader, params.group)).id, listingOrAll(query))
        const { id } = await groupEver(reader, params.group)
        return membersAt(reader, id, await momentOf(reader, query.at), listingOrAll(query))
      })
      return query.format === 'csv' ? sendCsv(reply, 'members', writeCsv(memberColumns, list.items)) : list
    },
  )

  app.get(
    '/groups/:group/members/changes',
    {
      schema: {
        operationId: 'listGroupMemberChanges',
        tags,
        summary: 'Who has come into a group since a moment, and who has gone',
        description: 'Sorted by name, email, displayName or active. Of a deleted group too.',
        params: Params,
        querystring: pageWith({ since: PastMoment('Compared with') }),
        response: { 200: Listed(MemberChange) },
      },
    },
    async ({ scope, params, query }) =>
      reading(db, scope, async (reader) => {
        const { id } = await groupEver(reader, params.group)
        return changesOfMembers(reader, id, await momentOf(reader, query.since), listingOf(query))
      }),
  )

  app.patch(
    '/groups/:group/members',
    {
      bodyLimit: largeBodyLimit,
      schema: {
        operationId: 'changeGroupMembers',
        tags,
        summary: 'Add and remove members of a group, all or none',
        params: Params,
        body: Type.Object({ add: People, remove: People }, { additionalProperties: false }),
        response: { 200: Type.Object({ added: Type.Integer(), removed: Type.Integer() }) },
      },
    },
    async ({ scope, params, body: { add = [], remove = [] } }) =>
      inTransaction(db, scope, async (trx) => {
        const { id } = await findGroup(trx, params.group)
        const { added, removed } = await changeMembers(trx, id, {
          add: await accountIdsOf(trx, add),
          remove: await accountIdsOf(trx, remove),
        })
        return { added, removed }
      }),
  )
}
