import type { Json } from './requests.ts'
import type { UserToPush } from './scim-target.ts'

/** A user whole, as Okta sends one (clients.md). */
export function userBody({ id, userName, email, displayName, active }: UserToPush): Json {
  const words = (displayName ?? userName).split(' ').filter((word) => word !== '')
  return {
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
    userName,
    name: { givenName: words.slice(0, -1).join(' ') || words[0], familyName: words.length > 1 ? words.at(-1) : '' },
    ...(email === null ? {} : { emails: [{ primary: true, value: email, type: 'work' }] }),
    displayName: displayName ?? userName,
    locale: 'en-US',
    externalId: id,
    active,
  }
}

/** A change of some attributes, as Okta sends it: no path. */
export const userUpdate = (value: Json): Json => ({
  schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
  Operations: [{ op: 'replace', value }],
})
