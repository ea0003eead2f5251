import { expect, test } from 'vitest'
import type { Effect } from '../../../src/cli/shapes.ts'
import { accessSentence, consequences, effectSentence, effectView, matrix } from '../../../src/cli/views/effect.ts'
import { seenBy } from './output.ts'

const person = seenBy('a person')
const kubernetes: Effect = {
  directory: 'okta',
  groups: 667,
  blocked: 8,
  members: { added: 655, removed: 669 },
  access: { lost: 355, gained: 397, peopleLosing: 135, peopleGaining: 179, leftWithNone: 0, jointLosses: 8 },
  matrix: [
    { site: 'kubernetes', role: 'admin', lost: 45, gained: 56 },
    { site: 'kubernetes', role: 'write', lost: 73, gained: 98 },
    { site: 'kubernetes-sigs', role: 'admin', lost: 104, gained: 91 },
    { site: 'kubernetes-sigs', role: 'maintain', lost: 2, gained: 3 },
    { site: 'kubernetes-sigs', role: 'read', lost: 12, gained: 0 },
  ],
  warnings: [{ code: 'guard_passed', groups: 11 }],
  fingerprint: '7f3a0000000000000000c91e',
}

test('what a review would do, in a sentence (console.md §8)', () => {
  expect(effectSentence(kubernetes)).toBe(
    '655 to add, 669 to remove. 135 people lose 355 accesses, 179 gain 397. Nobody is left with none.',
  )
  const none = { ...kubernetes.access, lost: 0, gained: 0, peopleLosing: 0, peopleGaining: 0 }
  expect(accessSentence(none)).toBe('Nobody loses or gains access.')
  expect(accessSentence({ ...none, gained: 88, peopleGaining: 49 })).toBe(
    'Nobody loses access, 49 gain 88. Nobody is left with none.',
  )
  expect(accessSentence({ ...none, lost: 1, peopleLosing: 1, leftWithNone: 1 })).toBe(
    '1 person loses 1 access, nobody gains any. 1 person is left with none.',
  )
})

test('the matrix: sites that lose most first, a dot where nothing happens', () => {
  expect(matrix(kubernetes, person).split('\n')).toEqual([
    '  lost/gained          admin   maintain     write   read',
    '  kubernetes         −45 +56          ·   −73 +98      ·',
    '  kubernetes-sigs   −104 +91      −2 +3         ·    −12',
  ])
})

test('the whole review', () => {
  const shown = effectView(kubernetes, person, { org: 'kubernetes' })
  expect(shown).toMatch(/^okta → kubernetes {3}667 groups need review, 8 blocked\n/)
  expect(shown).toContain('8 of these accesses look safe group by group and vanish together (joint losses).')
  expect(shown).toContain('! 11 groups pass the guard (25 %).')
  expect(shown).toContain('Fingerprint 7f3a…c91e, valid until something changes.')
  expect(effectView(kubernetes, seenBy('a program'))).toContain('Fingerprint 7f3a0000000000000000c91e,')
})

test('a warning names the roles and products it speaks of, three of them', () => {
  const admin = (site: string) => ({ site, product: 'github', role: 'admin' })
  const warnings = [
    { code: 'last_admin', groups: 2, of: ['one', 'two', 'three', 'four'].map(admin) },
    { code: 'seats_exceeded', groups: 1, of: [{ site: 'one', product: 'wiki' }] },
  ]
  const shown = effectView({ ...kubernetes, warnings }, person)
  expect(shown).toContain('administrative role: one · github · admin, two · github · admin, three · github · admin and 1 more.')
  expect(shown).toContain('than it has seats: one · wiki.')
})

test('what is asked before access is taken (console.md §4.2)', () => {
  expect(consequences(kubernetes, [], person)).toBe(
    'Sync 667 groups and take access from 135 people?\n' +
      '655 members are added, 669 removed. 135 people lose 355 accesses, 149 of them admin. 179 people gain 397. ' +
      'Nobody is left with no access. 8 blocked groups are left out.',
  )
})

test('an administrative role counts however it is written', () => {
  const shouted = { ...kubernetes, matrix: kubernetes.matrix.map((cell) => ({ ...cell, role: cell.role.toUpperCase() })) }
  expect(consequences(shouted, [], person)).toContain('149 of them admin.')
})

test('groups that were pushed empty are named before they are emptied', () => {
  expect(consequences(kubernetes, ['a', 'b'], person).split('\n').at(-1)).toBe('Pushed empty, all members go: a, b.')
  const many = Array.from({ length: 12 }, (_, i) => `g${i}`)
  expect(consequences(kubernetes, many, person)).toMatch(/all members go: g0, .*, g9 and 2 more\.$/)
})
