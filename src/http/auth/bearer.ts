import type { IncomingHttpHeaders } from 'node:http'

/** The bearer token of a request (RFC 6750 §2.1), or undefined: no header, another scheme, an empty one, one that no header ought to carry. */
export function bearerOf(headers: IncomingHttpHeaders): string | undefined {
  return /^bearer +([\x21-\x7e]{1,512}) *$/i.exec(headers.authorization ?? '')?.[1]
}
