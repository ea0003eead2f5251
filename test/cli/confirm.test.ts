import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { exit } from '../../src/cli/failure.ts'
import { root } from '../support/source-files.ts'

/** Asks, in a process of its own, about a sync that takes access from two people; `typed` is the answer. */
function asked(typed: string): { code: number; question: string } {
  const script = `
    const { confirmed } = await import(${JSON.stringify(join(root, 'src/cli/confirm.ts'))})
    const effect = { groups: 1, blocked: 0, members: { added: 0, removed: 2 }, matrix: [],
      access: { lost: 2, gained: 0, peopleLosing: 2, peopleGaining: 0, leftWithNone: 0 } }
    const out = { canAsk: true, colors: { bold: (text) => text } }
    await confirmed(effect, ['Wheel'], false, out).then(() => process.exit(0), (failure) => process.exit(failure.code))`
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    input: typed,
    encoding: 'utf8',
  })
  return { code: status ?? -1, question: stderr }
}

test('who takes access away types from how many, and anything else is a refusal: exit code 6', () => {
  expect(asked('2\n').code).toBe(exit.done)
  expect(asked('yes\n').code).toBe(exit.refused)
  expect(asked('\n')).toMatchObject({
    code: exit.refused,
    question: expect.stringMatching(/from 2 people\?\n.*\nPushed empty, all members go: Wheel\.\nType 2 to go on: $/),
  })
})
