/** The conditions of a request, as its headers give them; an operation of a Bulk gives its `version` as `ifMatch` (RFC 7644 §3.7, §3.14). */
export interface Precondition {
  ifMatch?: string | undefined
  ifNoneMatch?: string | undefined
}

/**
 * The condition of a write: whether what the provider last said of a resource is still what it was when it was read. What others change
 * of it meanwhile (members in force, a review) is no reason to refuse.
 * @returns a judge of the resource's version; undefined where there is no condition
 */
export function writeCondition({ ifMatch, ifNoneMatch }: Precondition): ((version: number) => boolean) | undefined {
  if (ifMatch === undefined && ifNoneMatch === undefined) return undefined
  const names = (header: string, version: number) =>
    header.trim() === '*' || tagsIn(header).some((tag) => versionIn(tag) === version)
  return (version) =>
    (ifMatch === undefined || names(ifMatch, version)) && (ifNoneMatch === undefined || !names(ifNoneMatch, version))
}

/** Whether a reader who has these versions has this one: then it is answered with 304 (RFC 9110 §13.1.2, weak comparison). */
export const hasAlready = (ifNoneMatch: string | undefined, etag: string): boolean =>
  ifNoneMatch !== undefined && (ifNoneMatch.trim() === '*' || tagsIn(ifNoneMatch).includes(opaque(etag)))

const tagsIn = (header: string): string[] => header.match(/"[^"]*"/g) ?? []
const opaque = (etag: string): string => etag.replace(/^W\//, '')
const versionIn = (tag: string): number => Number(/^"(\d+)(-|"$)/.exec(tag)?.[1] ?? Number.NaN)
