import { Type } from 'typebox'
import type { Scope } from '../../database/connection.ts'
import { inTransaction } from '../../database/transaction.ts'
import { rightsOf } from '../../organization/admins.ts'
import { createApiToken } from '../../organization/api-tokens.ts'
import {
  beginDeviceLogin,
  confirmDeviceLogin,
  devicesScope,
  findDeviceLogin,
  takeDeviceLogin,
} from '../../organization/device-logins.ts'
import { linkNotValid } from '../../organization/links.ts'
import { lockAccount } from '../../organization/permission.ts'
import { Refusal } from '../../organization/refusal.ts'
import { personActor } from '../auth/authenticate.ts'
import { requireRole } from '../auth/roles.ts'
import type { ApiPlugin } from './api.ts'
import { NoContent, Nullable, Secret, Time } from './shapes.ts'

const OfCode = Type.Object({ code: Type.String({ maxLength: 40 }) })

/** `muster login`: a program shows a code, a person confirms it in the browser, the program gets a token of theirs (RFC 8628). Open to all. */
export const deviceLoginApi: ApiPlugin = async (app, { db, publicUrl }) => {
  app.post(
    '/sign-in/device',
    {
      schema: {
        operationId: 'beginDeviceLogin',
        tags: ['sign-in'],
        security: [],
        summary: 'A program asks to be let in: what it shows people, and where they confirm it',
        body: Type.Object({ device: Type.String({ maxLength: 100 }) }, { additionalProperties: false }),
        response: {
          200: Type.Object({
            deviceCode: Secret,
            userCode: Type.String(),
            url: Type.String({ description: 'Where a person confirms the code' }),
            expiresInSeconds: Type.Integer(),
            intervalSeconds: Type.Integer({ description: 'How often to ask' }),
          }),
        },
      },
    },
    async ({ id, ip, body }) => {
      const { secret, ...login } = await inTransaction(db, devicesScope(id), (trx) =>
        beginDeviceLogin(trx, { device: body.device, address: ip }),
      )
      return { deviceCode: secret, ...login, url: `${publicUrl}/device?code=${login.userCode}`, intervalSeconds: 2 }
    },
  )

  app.post(
    '/sign-in/device/token',
    {
      schema: {
        operationId: 'endDeviceLogin',
        tags: ['sign-in'],
        security: [],
        summary: 'The token, once somebody confirmed the code; 409 `device_not_confirmed` until then',
        body: Type.Object({ deviceCode: Type.String({ maxLength: 512 }) }, { additionalProperties: false }),
        response: { 200: Type.Object({ token: Secret }) },
      },
    },
    async ({ id, body }) => {
      const { orgId, accountId, device } = await inTransaction(db, devicesScope(id), (trx) =>
        takeDeviceLogin(trx, body.deviceCode),
      )
      const scope: Scope = { orgId, actor: 'system', accountId, requestId: id }
      return inTransaction(db, scope, async (trx) => {
        await lockAccount(trx, accountId)
        const rights = await rightsOf(trx, accountId)
        if (!rights) throw linkNotValid()
        scope.actor = personActor(rights.userName)
        // Of one name only one token is live: the time tells them apart.
        const name = `muster login on ${device}, ${new Date().toISOString()}`
        const { secret } = await createApiToken(trx, { name, role: rights.role, expiresInDays: 90, accountId }, rights.role)
        return { token: secret }
      })
    },
  )
}

/** The other side of it: who is signed in looks at what asks, and lets it in. */
export const confirmDeviceApi: ApiPlugin = async (app, { db }) => {
  app.get(
    '/session/devices/:code',
    {
      schema: {
        operationId: 'showDeviceLogin',
        tags: ['session'],
        summary: 'What program shows a code',
        params: OfCode,
        response: {
          200: Type.Object({ userCode: Type.String(), device: Type.String(), address: Nullable(Type.String()), createdAt: Time }),
        },
      },
    },
    async ({ id, params }) => inTransaction(db, devicesScope(id), (trx) => findDeviceLogin(trx, params.code)),
  )

  app.post(
    '/session/devices/:code',
    {
      preHandler: requireRole('auditor'),
      schema: {
        operationId: 'confirmDeviceLogin',
        tags: ['session'],
        summary: 'Let the program that shows a code have a token of one’s own',
        params: OfCode,
        response: { 204: NoContent },
      },
    },
    async ({ id, scope, token, params }, reply) => {
      const { accountId } = token
      if (token.kind !== 'session' || accountId === null)
        throw new Refusal('invalid_value', 'A person confirms a code, signed in in the browser.')
      await inTransaction(db, devicesScope(id), (trx) => confirmDeviceLogin(trx, params.code, { orgId: scope.orgId, accountId }))
      return reply.code(204).send()
    },
  )
}
