import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { root } from '../support/source-files.ts'
import { startTinyScimService, token } from './tiny-scim-service.ts'

test('the action plans, writes the summary, and says whether there is something to send', { timeout: 30_000 }, async () => {
  const service = await startTinyScimService()
  onTestFinished(service.stop)
  const folder = mkdtempSync(join(tmpdir(), 'muster-action-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const [summary, output] = [join(folder, 'summary.md'), join(folder, 'output')]
  const env = {
    ...process.env,
    GITHUB_ACTION_PATH: join(root, 'action'),
    GITHUB_STEP_SUMMARY: summary,
    GITHUB_OUTPUT: output,
    RUNNER_TEMP: folder,
    SOURCE: join(root, 'sample/kubernetes-org/pushed'),
    TARGET: service.url,
    MUSTER_TARGET_TOKEN: token,
  }
  const child = spawn('bash', [join(root, 'action/plan.sh')], { env, stdio: 'ignore' })
  expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(0)
  expect(readFileSync(output, 'utf8')).toBe('changes=true\n')
  expect(readFileSync(summary, 'utf8')).toContain('**Groups: 779 to create, 0 to change, 0 to delete, 0 unchanged.')
  expect(readFileSync(summary, 'utf8')).toContain('```diff')
  expect(JSON.parse(readFileSync(join(folder, 'muster-plan.json'), 'utf8')).totals.groups.create).toBe(779)
  expect(service.received.filter(({ method }) => method !== 'GET')).toEqual([])
})
