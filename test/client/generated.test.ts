import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { generateApiTypes } from '../../src/client/generate.ts'

test('the generated types are those of the routes: else `npm run api-types`', async () => {
  const committed = readFileSync(new URL('../../src/client/api-types.ts', import.meta.url), 'utf8')
  expect(await generateApiTypes()).toBe(committed)
})
