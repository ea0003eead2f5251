import type { AuditEntry, AuditMember, ExportCheck, SignedHead, StoredCheck } from '../shapes.ts'
import { ago, count, counted } from './numbers.ts'
import type { Output } from './output.ts'
import { type Column, facts, table } from './table.ts'

const columns: Column<AuditEntry>[] = [
  { title: 'AT', value: (one) => one.at, shown: (one, out) => ago(one.at, out.now) },
  { title: 'WHO', value: (one) => one.actor, mayShrink: true },
  { title: 'ACTION', value: (one) => one.action },
  { title: 'SUBJECT', value: (one) => one.subject?.name ?? one.subject?.id, mayShrink: true },
  { title: 'CHANGE', value: changeOf, mayShrink: true },
  { title: 'ENTRY', value: (one) => one.id },
]

/** Entries of the log, a line each: who did what to whom, before and after. */
export const auditList = (entries: AuditEntry[], out: Output): string => table(entries, columns, out)

/** One entry, with the fields that became other and all its members. */
export function auditView(entry: AuditEntry, members: AuditMember[], out: Output): string {
  const { id, at, actor, action, subject, directory, requestId, runId, role, block } = entry
  const told = facts(
    [
      ['Entry', block === null ? `${id}, not sealed yet` : `${id}, sealed in block ${block}`],
      ['At', out.forPeople ? `${at} (${ago(at, out.now)})` : at],
      ['Who', actor],
      ['Action', action],
      ...(subject === null ? [] : [['Subject', subject.name === null ? subject.id : `${subject.name} (${subject.id})`] as const]),
      ...(directory === null ? [] : [['Directory', directory.name] as const]),
      ...(requestId === null ? [] : [['Request', requestId] as const]),
      ...(runId === null ? [] : [['Run', runId] as const]),
      ...(role === null ? [] : [['Role', `${role.site}/${role.product}/${role.role}`] as const]),
      ...fieldsOf(entry).map(([field, before, after]) => [field, `${before} → ${after}`] as const),
    ],
    out,
  )
  const list = table<AuditMember>(
    members,
    [
      { title: 'CHANGE', value: (one) => changeWords[one.change] },
      { title: 'USER', value: (one) => one.userName },
      { title: 'NAME', value: (one) => one.displayName },
    ],
    out,
  )
  return members.length === 0 ? told : `${told}\n${list}`
}

const changeWords: Record<AuditMember['change'], string> = {
  added: 'added',
  removed: 'removed',
  pushedAdded: 'pushed',
  pushedRemoved: 'no longer pushed',
}

function changeOf(entry: AuditEntry): string {
  const { role, members } = entry
  // Of both truths in one entry, that in force.
  const inForce = members.added.count + members.removed.count > 0
  const [come, gone] = inForce ? [members.added, members.removed] : [members.pushedAdded, members.pushedRemoved]
  return [
    ...(role === null ? [] : [`${role.site}/${role.product}/${role.role}`]),
    ...signed('+', come),
    ...signed('−', gone),
    // What came to be, or went, has values; what became other has two.
    ...fieldsOf(entry)
      .filter(([, before, after]) => before !== after)
      .map(([field, before, after]) => {
        if (entry.facts.before && entry.facts.after) return `${field} ${before} → ${after}`
        return `${field} ${before === nothing ? after : before}`
      }),
  ].join(', ')
}

const nothing = '–'

const signed = (sign: string, { count: all, names }: AuditEntry['members']['added']): string[] => [
  ...names.map((name) => `${sign}${name}`),
  ...(all > names.length ? [`${sign}${count(all - names.length)} more`] : []),
]

function fieldsOf({ facts: { before = {}, after = {} } }: AuditEntry): [field: string, before: string, after: string][] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].map((field) => [
    field,
    text(before[field]),
    text(after[field]),
  ])
}

function text(value: unknown): string {
  if (value === null || value === undefined) return nothing
  if (Array.isArray(value)) return value.length === 0 ? nothing : value.join(', ')
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

/** How far the log is sealed, and by whom that is signed. */
export const headView = ({ head, key }: SignedHead, out: Output): string =>
  facts(
    [
      ['Block', head.number],
      ['Hash', head.hash],
      ['Entries', head.entries],
      ['Sealed', head.sealedAt ?? 'nothing yet'],
      ['Signed by', key === null ? 'nobody: the server has no key' : `key ${key.id}`],
    ],
    out,
  )

/** What an export was found to be, off-line. */
export const exportCheckView = ({ blocks, entries, head, fault }: ExportCheck): string =>
  fault
    ? `${sealed(blocks, entries)} verified before it.`
    : `${sealed(blocks, entries)} verified${head?.key ? `; signed by key ${head.key.id}` : ''}.`

/** What the server's log was found to be. */
export const storedCheckView = ({ blocks, entries, unsealed, fault }: StoredCheck): string =>
  fault
    ? `${sealed(blocks, entries)} verified before it.`
    : `${sealed(blocks, entries)} verified${unsealed > 0 ? `; ${counted(unsealed, 'entry', 'entries')} not sealed yet` : ''}.`

const sealed = (blocks: number, entries: number): string =>
  `${counted(entries, 'entry', 'entries')} in ${counted(blocks, 'block')}`
