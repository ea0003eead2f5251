import { Type } from 'typebox'
import type { Reader } from '../../database/connection.ts'
import type { GroupId, RoleId } from '../../database/ids.ts'
import { inTransaction, reading } from '../../database/transaction.ts'
import { ensureRole, findRole, parseRole } from '../../organization/access.ts'
import {
  type AccessFilter,
  findGrant,
  findListedRole,
  listGrants,
  listProducts,
  listRoles,
  listSites,
  peopleOfRole,
  type RoleHolder,
} from '../../organization/access-lists.ts'
import { writeCsv } from '../../organization/csv.ts'
import { findGroup } from '../../organization/groups.ts'
import { momentOf } from '../../organization/moment.ts'
import { nameKey } from '../../organization/name-key.ts'
import { changesOfRole, peopleOfRoleAt } from '../../organization/past-access.ts'
import { addGrant, removeGrant, setDefaultAccess } from '../../provisioning/existing-groups.ts'
import type { ApiPlugin } from './api.ts'
import { csvFormat, ListedOrCsv, listingOrAll, sendCsv } from './csv-answer.ts'
import { Listed, listingOf, Page, pageWith } from './paging.ts'
import { since } from './past-shapes.ts'
import { Id, NoContent, Nullable, PastMoment, Time } from './shapes.ts'

const Site = Type.Object({ id: Id, name: Type.String(), productCount: Type.Integer() })
const Product = Type.Object({
  id: Id,
  site: Type.String(),
  product: Type.String(),
  seats: Nullable(Type.Integer()),
  roleCount: Type.Integer(),
})
const role = { id: Id, site: Type.String(), product: Type.String(), role: Type.String(), isAdministrative: Type.Boolean() }
const Role = Type.Object({
  ...role,
  groupCount: Type.Integer(),
  peopleCount: Type.Integer({ description: 'Active people who have it' }),
})
const Holder = Type.Object({
  id: Id,
  userName: Type.String(),
  email: Nullable(Type.String()),
  displayName: Nullable(Type.String()),
  through: Type.Array(Type.String(), { description: 'Names of the groups that give it' }),
})
const { through: _, ...person } = Holder.properties
const HolderChange = Type.Object({ ...person, ...since })
const Grant = Type.Object({
  group: Type.Object({ id: Id, name: Type.String(), memberCount: Type.Integer() }),
  roleId: Id,
  site: Type.String(),
  product: Type.String(),
  role: Type.String(),
  isAdministrative: Type.Boolean(),
  isDefault: Type.Boolean({ description: 'New users of the product are put into the group' }),
  since: Time,
})

const named = { site: Type.Optional(Type.String()), product: Type.Optional(Type.String()), role: Type.Optional(Type.String()) }
const RoleParam = Type.String({ description: 'Id, or `site/product/role`, percent-encoded' })
const GrantParams = Type.Object({ group: Type.String({ description: 'Id or name' }), role: RoleParam })
const tags = ['access']

const holderColumns = {
  user_name: ({ userName }: RoleHolder) => userName,
  email: ({ email }: RoleHolder) => email,
  display_name: ({ displayName }: RoleHolder) => displayName,
  through: ({ through }: RoleHolder) => through.join(', '),
}

const keyOf = (name: string | undefined) => (name === undefined ? undefined : nameKey(name))
const filterOf = (query: { site?: string; product?: string; role?: string }): AccessFilter => ({
  siteKey: keyOf(query.site),
  productKey: keyOf(query.product),
  roleKey: keyOf(query.role),
})

async function grantOf(reader: Reader, params: { group: string; role: string }): Promise<{ groupId: GroupId; roleId: RoleId }> {
  const group = await findGroup(reader, params.group)
  return { groupId: group.id, roleId: (await findRole(reader, parseRole(params.role))).id }
}

/** Sites, products and roles, and which groups are granted them. */
export const accessApi: ApiPlugin = async (app, { db }) => {
  app.get(
    '/sites',
    {
      schema: {
        operationId: 'listSites',
        tags,
        summary: 'The sites',
        description: 'Sorted by name or products.',
        querystring: Page,
        response: { 200: Listed(Site) },
      },
    },
    async ({ scope, query }) => reading(db, scope, (reader) => listSites(reader, listingOf(query))),
  )

  app.get(
    '/products',
    {
      schema: {
        operationId: 'listProducts',
        tags,
        summary: 'The products of the sites',
        description: 'Sorted by site, name, seats or roles.',
        querystring: pageWith({ site: named.site }),
        response: { 200: Listed(Product) },
      },
    },
    async ({ scope, query }) =>
      reading(db, scope, (reader) => listProducts(reader, listingOf(query), { siteKey: keyOf(query.site) })),
  )

  app.get(
    '/roles',
    {
      schema: {
        operationId: 'listRoles',
        tags,
        summary: 'The roles of the products, and how many have them',
        description: 'Sorted by site, product or role.',
        querystring: pageWith(named),
        response: { 200: Listed(Role) },
      },
    },
    async ({ scope, query }) => reading(db, scope, (reader) => listRoles(reader, listingOf(query), filterOf(query))),
  )

  app.get(
    '/roles/:role',
    {
      schema: {
        operationId: 'showRole',
        tags,
        summary: 'A role, and how many have it',
        params: Type.Object({ role: RoleParam }),
        response: { 200: Role },
      },
    },
    async ({ scope, params }) =>
      reading(db, scope, async (reader) => findListedRole(reader, (await findRole(reader, parseRole(params.role))).id)),
  )

  app.get(
    '/roles/:role/people',
    {
      schema: {
        operationId: 'listRolePeople',
        tags,
        summary: 'Who has a role, or had it at a moment, and through which groups',
        description: 'Sorted by name or email.',
        params: Type.Object({ role: RoleParam }),
        querystring: pageWith({ at: Type.Optional(PastMoment('As of then')), ...csvFormat }),
        response: { 200: ListedOrCsv(Holder) },
      },
    },
    async ({ scope, params, query }, reply) => {
      const list = await reading(db, scope, async (reader) => {
        const { id } = await findRole(reader, parseRole(params.role))
        if (query.at === undefined) return peopleOfRole(reader, id, listingOrAll(query))
        return peopleOfRoleAt(reader, id, await momentOf(reader, query.at), listingOrAll(query))
      })
      return query.format === 'csv' ? sendCsv(reply, 'people', writeCsv(holderColumns, list.items)) : list
    },
  )

  app.get(
    '/roles/:role/people/changes',
    {
      schema: {
        operationId: 'listRolePeopleChanges',
        tags,
        summary: 'Who has a role now and had it not at a moment, and the other way round',
        description: 'Sorted by name or email.',
        params: Type.Object({ role: RoleParam }),
        querystring: pageWith({ since: PastMoment('Compared with') }),
        response: { 200: Listed(HolderChange) },
      },
    },
    async ({ scope, params, query }) =>
      reading(db, scope, async (reader) => {
        const { id } = await findRole(reader, parseRole(params.role))
        return changesOfRole(reader, id, await momentOf(reader, query.since), listingOf(query))
      }),
  )

  app.get(
    '/grants',
    {
      schema: {
        operationId: 'listGrants',
        tags,
        summary: 'Which group may do what',
        description: 'Sorted by site, product, role, group, isDefault or since.',
        querystring: pageWith({
          ...named,
          group: Type.Optional(Type.String({ description: 'Id or name' })),
          default: Type.Optional(Type.Boolean()),
        }),
        response: { 200: Listed(Grant) },
      },
    },
    async ({ scope, query }) =>
      reading(db, scope, async (reader) => {
        const groupId = query.group === undefined ? undefined : (await findGroup(reader, query.group)).id
        return listGrants(reader, listingOf(query), { ...filterOf(query), groupId, isDefault: query.default })
      }),
  )

  app.post(
    '/grants',
    {
      schema: {
        operationId: 'createGrant',
        tags,
        summary: 'Grant a role to a group; site, product and role are made where they do not exist',
        body: Type.Object(
          {
            group: Type.String({ description: 'Id or name' }),
            site: Type.String(),
            product: Type.String(),
            role: Type.String(),
            isDefault: Type.Optional(Type.Boolean()),
          },
          { additionalProperties: false },
        ),
        response: { 201: Grant },
      },
    },
    async ({ scope, body }, reply) => {
      const grant = await inTransaction(db, scope, async (trx) => {
        const given = { groupId: (await findGroup(trx, body.group)).id, roleId: await ensureRole(trx, body) }
        await addGrant(trx, { ...given, isDefault: body.isDefault ?? false })
        return findGrant(trx, given.groupId, given.roleId)
      })
      return reply.code(201).send(grant)
    },
  )

  app.patch(
    '/grants/:group/:role',
    {
      schema: {
        operationId: 'updateGrant',
        tags,
        summary: 'Make a grant default access, or stop that',
        params: GrantParams,
        body: Type.Object({ isDefault: Type.Boolean() }, { additionalProperties: false }),
        response: { 200: Grant },
      },
    },
    async ({ scope, params, body }) =>
      inTransaction(db, scope, async (trx) => {
        const { groupId, roleId } = await grantOf(trx, params)
        await setDefaultAccess(trx, groupId, roleId, body.isDefault)
        return findGrant(trx, groupId, roleId)
      }),
  )

  app.delete(
    '/grants/:group/:role',
    {
      schema: {
        operationId: 'deleteGrant',
        tags,
        summary: 'Take a grant from a group',
        params: GrantParams,
        response: { 204: NoContent },
      },
    },
    async ({ scope, params }, reply) => {
      await inTransaction(db, scope, async (trx) => {
        const { groupId, roleId } = await grantOf(trx, params)
        await removeGrant(trx, groupId, roleId)
      })
      return reply.code(204).send()
    },
  )
}
