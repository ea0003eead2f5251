// Who is there, under the same ids on every server that is measured, so that all are asked the same.

const numbered = (kind: string, n: number) => `00000000-0000-7000-${kind}-${n.toString(16).padStart(12, '0')}`
export const personId = (n: number): string => numbered('8001', n)
export const groupId = (n: number): string => numbered('8002', n)

export interface Person {
  userName: string
  name: { givenName: string; familyName: string }
  displayName: string
  emails: { value: string; type: 'work'; primary: true }[]
  externalId: string
  active: true
}

/** What is told of a person: `key` is unique. */
export function personOf(key: string): Person {
  const userName = `${key}@example.org`
  return {
    userName,
    name: { givenName: 'Person', familyName: key },
    displayName: `Person ${key}`,
    emails: [{ value: userName, type: 'work', primary: true }],
    externalId: `ext-${key}`,
    active: true,
  }
}
export const personKey = (n: number): string => `person-${n}`

export const sizes = [10, 1_000, 10_000, 100_000]
/** Everybody of the largest group, and those who are not in it, to be added to it and removed. */
export const insiders = 100_000
export const people = 101_000

/** A group has `size` people, from number `from` on. */
export interface SeededGroup {
  id: string
  name: string
  from: number
  size: number
}

const sized = sizes.map((size) => ({ size, from: 0 }))
const small = Array.from({ length: 1_000 }, (_, n) => ({ size: 10, from: n * 10 }))
const empty = Array.from({ length: 400 }, () => ({ size: 0, from: 0 }))

export const groups: SeededGroup[] = [...sized, ...small, ...empty].map(({ size, from }, n) => ({
  id: groupId(n),
  name: `group ${n}`,
  from,
  size,
}))
export const sizedGroups = groups.slice(0, sized.length)
export const smallGroups = groups.slice(sized.length, sized.length + small.length)
export const emptyGroups = groups.slice(sized.length + small.length)
