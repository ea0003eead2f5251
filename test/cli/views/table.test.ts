import { expect, test } from 'vitest'
import { minus, plus } from '../../../src/cli/views/numbers.ts'
import { type Column, facts, table } from '../../../src/cli/views/table.ts'
import { seenBy } from './output.ts'

interface Row {
  name: string
  added: number
  removed: number
}
const columns: Column<Row>[] = [
  { title: 'GROUP', value: (row) => row.name, mayShrink: true },
  { title: 'ADD', align: 'right', value: (row) => row.added, shown: (row) => plus(row.added) },
  { title: 'REMOVE', align: 'right', value: (row) => row.removed, shown: (row) => minus(row.removed) },
]
const rows = [
  { name: 'kubernetes/milestone-maintainers', added: 1_044, removed: 33 },
  { name: '日本', added: 0, removed: 0 },
]

test('for a person: a header, numbers to the right, a true minus', () => {
  expect(table(rows, columns, seenBy('a person')).split('\n')).toEqual([
    'GROUP                                ADD  REMOVE',
    'kubernetes/milestone-maintainers  +1,044     −33',
    '日本                                   ·       ·',
  ])
})

test('for a program: tabs, exact values, no header, nothing cut', () => {
  expect(table(rows, columns, seenBy('a program', 20))).toBe('kubernetes/milestone-maintainers\t1044\t33\n日本\t0\t0\n')
})

test('on a narrow terminal the name is cut', () => {
  const lines = table(rows, columns, seenBy('a person', 40)).split('\n')
  expect(lines[1]).toMatch(/^kubernetes\/milesto\S*…\s+\+1,044\s+−33$/)
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(40)
})

test('a name cannot break the line or speak to the terminal', () => {
  const evil = [{ name: 'a\tb\nc\u001b[2Jd', added: 1, removed: 0 }]
  expect(table(evil, columns, seenBy('a program'))).toBe('a b c [2Jd\t1\t0\n')
  expect(table(evil, columns, seenBy('a person')).split('\n')[1]).toMatch(/^a b c \[2Jd {2}/)
})

test('facts stand under one another', () => {
  expect(
    facts(
      [
        ['Group', 'a'],
        ['Members', 3],
      ],
      seenBy('a person'),
    ),
  ).toBe('Group    a\nMembers  3')
  expect(
    facts(
      [
        ['Group', 'a'],
        ['Members', 3],
      ],
      seenBy('a program'),
    ),
  ).toBe('Group\ta\nMembers\t3')
})

test('what was pushed cannot steer the terminal: a fact is one line without escapes', () => {
  expect(facts([['Name', 'A\u001b[2Jda\nLovelace']], seenBy('a person'))).toMatch(/ {2}A \[2Jda Lovelace$/)
})
