import type { FastifyRequest, RouteOptions } from 'fastify'
import type { ApiRole } from '../../database/tables.ts'
import { isAtLeast } from '../../organization/roles.ts'
import { Failure } from '../failure.ts'

type RoleCheck = (request: FastifyRequest) => Promise<void>
const demanded = new WeakMap<object, ApiRole>()

/** A preHandler: at least this role. An auditor reads all and writes nothing; an admin writes all but owners' tokens. */
export function requireRole(role: ApiRole): RoleCheck {
  const check: RoleCheck = async (request) => {
    if (isAtLeast(request.token.role, role)) return
    throw new Failure(403, 'not_permitted', `This needs the role ${role}; yours is ${request.token.role}. Ask an owner for it.`)
  }
  demanded.set(check, role)
  return check
}

/** The role check of a route, made from its preHandler or, where it has none, from its method: what is no GET writes. */
export function roleCheckOf(route: RouteOptions): RoleCheck {
  const handlers = [route.preHandler ?? []].flat() as object[]
  const role = handlers.map((handler) => demanded.get(handler)).find((found) => found !== undefined)
  return requireRole(role ?? (reads(route) ? 'auditor' : 'admin'))
}

const reads = (route: RouteOptions): boolean => [route.method].flat().every((method) => method === 'GET' || method === 'HEAD')
