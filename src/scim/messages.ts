import type { ScimError } from './error.ts'

export const listResponseUrn = 'urn:ietf:params:scim:api:messages:2.0:ListResponse'
export const errorUrn = 'urn:ietf:params:scim:api:messages:2.0:Error'

/** A page of resources (RFC 7644 §3.4.2). `Resources` is there even when empty: some clients do not expect its absence. */
export const listResponse = <T>(totalResults: number, startIndex: number, resources: readonly T[]) => ({
  schemas: [listResponseUrn],
  totalResults,
  startIndex,
  itemsPerPage: resources.length,
  Resources: resources,
})

/** RFC 7644 §3.12: `status` is text. */
export const errorMessage = ({ status, scimType, message }: Pick<ScimError, 'status' | 'scimType' | 'message'>) => ({
  schemas: [errorUrn],
  status: String(status),
  ...(scimType === undefined ? {} : { scimType }),
  detail: message,
})
