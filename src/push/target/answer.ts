/** What a SCIM service sent that is not a success: its status and its own text, at most 2 KiB of it. */
export class TargetError extends Error {
  readonly status: number
  readonly scimType: string | undefined
  constructor(status: number, message: string, scimType?: string) {
    super(message)
    this.name = 'TargetError'
    this.status = status
    this.scimType = scimType
  }
}

/** The service could not be reached, or cut the connection: whether it did what was asked is not known. */
export class TargetUnreachable extends Error {
  constructor(message: string, cause: unknown) {
    super(message, { cause })
    this.name = 'TargetUnreachable'
  }
}

/** So many requests failed in a row that no more are sent. */
export class TargetDown extends TargetUnreachable {}

/** Reads a SCIM error (RFC 7644 §3.12), or whatever else came in its place. */
export function targetError(status: number, body: string): TargetError {
  try {
    const { detail, scimType } = JSON.parse(body) as { detail?: unknown; scimType?: unknown }
    const text = typeof detail === 'string' && detail !== '' ? detail : `The target answered ${status}.`
    return new TargetError(status, shown(text), typeof scimType === 'string' ? scimType : undefined)
  } catch {
    return new TargetError(
      status,
      body.trim() === '' ? `The target answered ${status}.` : shown(`The target answered ${status}: ${body.trim()}`),
    )
  }
}

/** Retry-After in milliseconds (RFC 9110 §10.2.3: seconds or a date), at most two minutes; undefined where there is none. */
export function retryAfterMs(header: string | null, now = Date.now()): number | undefined {
  if (header === null || header === '') return undefined
  const ms = /^\d+$/.test(header.trim()) ? Number(header) * 1_000 : Date.parse(header) - now
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), 120_000) : undefined
}

const shown = (text: string) => (text.length > 2_048 ? `${text.slice(0, 2_047)}…` : text)
