import { readFileSync } from 'node:fs'
import { join } from 'node:path'

// biome-ignore lint/suspicious/noExplicitAny: an example of the RFCs has the shape that its test is about.
type Sample = any

/** An example of RFC 7643 or RFC 7644, by its section: the files are named by where they stand. */
export const sample = (name: string): Sample =>
  JSON.parse(readFileSync(join(import.meta.dirname, 'samples', `${name}.json`), 'utf8'))

export const urn = {
  user: 'urn:ietf:params:scim:schemas:core:2.0:User',
  group: 'urn:ietf:params:scim:schemas:core:2.0:Group',
  enterprise: 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User',
  sync: 'urn:muster:params:scim:schemas:extension:sync:1.0:Group',
  patch: 'urn:ietf:params:scim:api:messages:2.0:PatchOp',
  list: 'urn:ietf:params:scim:api:messages:2.0:ListResponse',
  error: 'urn:ietf:params:scim:api:messages:2.0:Error',
}

export const patchOf = (...Operations: unknown[]) => ({ schemas: [urn.patch], Operations })
