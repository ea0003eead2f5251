import type { ScimError } from './error.ts'

export const listResponseUrn = 'urn:ietf:params:scim:api:messages:2.0:ListResponse'
export const bulkRequestUrn = 'urn:ietf:params:scim:api:messages:2.0:BulkRequest'
const bulkResponseUrn = 'urn:ietf:params:scim:api:messages:2.0:BulkResponse'
export const errorUrn = 'urn:ietf:params:scim:api:messages:2.0:Error'

/** Where a page is in its list: by index, or by cursor (RFC 9865 §2), which the last and the first page do not have. */
export type PagePlace = { startIndex: number } | { nextCursor: string | undefined; previousCursor?: string | undefined }

/** A page of resources (RFC 7644 §3.4.2). `Resources` is there even when empty: some clients do not expect its absence. */
export const listResponse = <T>(totalResults: number, place: PagePlace, resources: readonly T[]) => ({
  schemas: [listResponseUrn],
  totalResults,
  ...place,
  itemsPerPage: resources.length,
  Resources: resources,
})

/** What one bulk request may hold (rules 19 and 22); ServiceProviderConfig says so. */
export const maxBulkOperations = 1_000
export const maxBulkBytes = 32 * 1024 * 1024

/** What became of one operation of a bulk request (RFC 7644 §3.7): `status` is text; `response` is an error's body. */
export interface BulkResult {
  readonly method?: string
  readonly bulkId?: string
  readonly location?: string
  readonly version?: string
  readonly status: string
  readonly response?: unknown
}

export const bulkResponse = (results: readonly BulkResult[]) => ({ schemas: [bulkResponseUrn], Operations: results })

/** RFC 7644 §3.12: `status` is text. */
export const errorMessage = ({ status, scimType, message }: Pick<ScimError, 'status' | 'scimType' | 'message'>) => ({
  schemas: [errorUrn],
  status: String(status),
  ...(scimType === undefined ? {} : { scimType }),
  detail: message,
})
