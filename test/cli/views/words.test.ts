import { expect, test } from 'vitest'
import { ago, lostAndGained, short } from '../../../src/cli/views/numbers.ts'
import { progress } from '../../../src/cli/views/progress.ts'
import { runView } from '../../../src/cli/views/runs.ts'
import { whyView } from '../../../src/cli/views/why.ts'
import { stateWord, warningSentence } from '../../../src/cli/views/words.ts'
import { seenBy } from './output.ts'

const person = seenBy('a person')
const program = seenBy('a program')

test('a state is an icon and a word for a person, the API’s own word for a program', () => {
  expect(['synced', 'needs_review', 'blocked', 'held', 'ignored'].map((state) => stateWord(state, person))).toEqual([
    '✓ Synced',
    '◐ Needs review',
    '⊘ Blocked',
    '‖ Held',
    '◌ Ignored',
  ])
  expect(stateWord('needs_review', program)).toBe('needs_review')
})

test('a warning counts its groups', () => {
  expect(warningSentence({ code: 'guard_passed', groups: 11 })).toBe('11 groups pass the guard (25 %)')
  expect(warningSentence({ code: 'guard_passed', groups: 1, percent: 50 })).toBe('1 group passes the guard (50 %)')
  expect(warningSentence({ code: 'filling', groups: 1 })).toBe('1 group is still being filled')
})

test('times are relative for a person', () => {
  const at = (time: string) => ago(time, person.now)
  expect(at('2026-11-24T08:57:00Z')).toBe('3 minutes ago')
  expect(at('2026-11-23T08:57:00Z')).toBe('1 day ago')
  expect(at('2026-11-24T10:00:00Z')).toBe('in 1 hour')
  expect(at('2024-01-01T10:00:00Z')).toBe('2024-01-01')
  expect(ago(null, person.now)).toBe('')
})

test('lost before gained, with a true minus', () => {
  expect(lostAndGained(104, 91)).toBe('−104 +91')
  expect(lostAndGained(0, 5)).toBe('+5')
  expect(lostAndGained(0, 0)).toBe('·')
  expect(short('7f3a0000000000000000c91e')).toBe('7f3a…c91e')
})

test('a run in two lines', () => {
  const run = {
    id: '0193-7be1',
    state: 'finished',
    choice: 'overwrite',
    createdBy: 'token:admin',
    createdAt: '2026-11-24T08:00:00Z',
    startedAt: null,
    finishedAt: null,
    retryOf: null,
    retriedBy: [],
    groups: { total: 667, synced: 663, skipped: 2, failed: 2 },
    members: { added: 650, removed: 660 },
    access: { lost: 350, gained: 390, peopleLosing: 130, peopleGaining: 170, leftWithNone: 0 },
    foreseen: { access: { lost: 350, gained: 390, peopleLosing: 130, peopleGaining: 170, leftWithNone: 0 } },
    approval: null,
  }
  expect(runView(run, person)).toBe(
    '✓ Finished  663 synced, 2 skipped, 2 failed of 667 groups   run 0193-7be1\n650 members added, 660 removed. 350 accesses lost, 390 gained.',
  )
})

test('why not: the first broken link first', () => {
  const why = {
    access: false,
    person: { userName: 'ada' },
    site: 'kubernetes',
    product: 'website',
    role: 'admin',
    through: [],
    ifSynced: { access: false, through: [] },
    broken: 'ada is switched off.',
    steps: [
      { holds: false, text: 'ada is switched off.' },
      { holds: null, text: 'No directory pushes ada.' },
    ],
  }
  expect(whyView(why, person)).toBe(
    'ada does not have kubernetes/website:admin: ada is switched off.\n  ✕ ada is switched off.\n  · No directory pushes ada.',
  )
})

test('progress off a terminal: a line every 10 %', () => {
  const said: string[] = []
  const bar = progress({ ...program, say: (line) => said.push(line) }, 'Groups')
  for (let done = 0; done <= 1_000; done++) bar.show(done, 1_000)
  bar.end()
  expect(said).toHaveLength(10)
  expect(said.at(-1)).toBe('Groups: 1,000 of 1,000')
})
