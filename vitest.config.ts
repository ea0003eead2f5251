import { defineConfig } from 'vitest/config'

const pure = ['test/{scim,push}/**/*.test.ts', 'test/cli/views/*.test.ts']
const checks = ['test/{architecture,types,lint,one-writer,readme}.test.ts']

/** `unit` needs nothing, `integration` a PostgreSQL, `checks` are the tools and the rules of the house. */
export default defineConfig({
  test: {
    reporters: ['default', './test/support/plain-line.ts'],
    projects: [
      { test: { name: 'unit', include: pure } },
      {
        test: {
          name: 'integration',
          include: ['test/**/*.test.ts'],
          exclude: [...pure, ...checks],
          globalSetup: ['./test/support/database.ts'],
          testTimeout: 30_000,
          hookTimeout: 30_000,
        },
      },
      { test: { name: 'checks', include: checks, testTimeout: 120_000 } },
    ],
  },
})
