/** What people can be told of. */
export const noticeKinds = [
  'review.created',
  'group.blocked',
  'group.held',
  'removal.held',
  'removal.waiting',
  'run.approval_requested',
  'run.finished',
  'directory.complete',
  'directory.differs',
  'directory.silent',
  'token.expiring',
  'webhook.test',
] as const
export type NoticeKind = (typeof noticeKinds)[number]

/** What a notice says besides its kind: thin, what is new is asked of the API. `subjects` are the first of `count`. */
export interface NoticeData {
  directory: { id: string; name: string } | null
  count: number
  subjects: { id: string; name: string | null }[]
  run?: string
  /** Of a token: when it expires. Of a directory: when it was last heard of. Of what waits: since when. */
  at?: string
  /** Nothing was heard for so many hours. */
  hours?: number
  /** Of a run: how its groups came out. */
  result?: { synced: number; skipped: number; failed: number }
}

/** A notice as a sentence, for a mail and a line. */
export const sentenceOf = (kind: NoticeKind, data: NoticeData): string => words[kind](data)

const some = ({ count, subjects }: NoticeData): string => {
  const names = subjects.slice(0, 5).map(({ name, id }) => name ?? id)
  return count > names.length ? `${names.join(', ')} and ${count - names.length} more` : names.join(', ')
}
const groups = ({ count }: NoticeData): string => (count === 1 ? 'A group' : `${count} groups`)
const of = ({ directory }: NoticeData): string => (directory === null ? '' : ` of ${directory.name}`)

const words: Record<NoticeKind, (data: NoticeData) => string> = {
  'review.created': (data) => `${groups(data)}${of(data)} ${data.count === 1 ? 'needs' : 'need'} review: ${some(data)}.`,
  'group.blocked': (data) => `${groups(data)}${of(data)} ${data.count === 1 ? 'is' : 'are'} blocked: ${some(data)}.`,
  'group.held': (data) =>
    `Members of ${data.count === 1 ? 'a group' : `${data.count} groups`}${of(data)} keep access that the provider took, until you decide: ${some(data)}.`,
  'removal.held': (data) =>
    `${data.count === 1 ? 'A removal' : `${data.count} removals`}${of(data)} ${data.count === 1 ? 'waits' : 'wait'} for you: ${some(data)}.`,
  'removal.waiting': (data) =>
    `For more than a day ${data.count === 1 ? 'a group or person keeps' : `${data.count} groups or people keep`} access that${of(data) === '' ? ' the provider' : ` ${data.directory?.name}`} took: ${some(data)}.`,
  'run.approval_requested': (data) => `Somebody asks for your approval of a run${of(data)}.`,
  'run.finished': (data) =>
    `A run${of(data)} has ended: ${data.result?.synced ?? 0} synced, ${data.result?.skipped ?? 0} skipped, ${data.result?.failed ?? 0} failed.`,
  'directory.complete': ({ directory }) => `${directory?.name} is complete: nothing differs from the provider's own list.`,
  'directory.differs': ({ directory }) => `The provider's own list of ${directory?.name} differs from what it pushed.`,
  'directory.silent': ({ directory, hours, at }) =>
    `Nothing was heard of ${directory?.name} for ${hours} hours${at === undefined ? '' : `, since ${at}`}. Look at its provider's log.`,
  'token.expiring': (data) => `A token${of(data)} expires at ${data.at}: ${some(data)}. Make another, then revoke it.`,
  'webhook.test': () => 'This is a test.',
}
