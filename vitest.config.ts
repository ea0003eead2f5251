import { defineConfig } from 'vitest/config'

const pure = ['test/{scim,push}/**/*.test.ts', 'test/cli/views/*.test.ts']
const browser = ['test/e2e/**/*.test.ts']
const checks = ['test/{architecture,types,lint,one-writer,readme}.test.ts']

/** `unit` needs nothing, `integration` a PostgreSQL, `browser` a Chromium too, `checks` are the tools and the rules of the house. */
export default defineConfig({
  test: {
    // More than cores: most of a test is waiting for PostgreSQL. By itself vitest leaves a core alone.
    maxWorkers: 3,
    reporters: ['default', './test/support/plain-line.ts'],
    projects: [
      { test: { name: 'unit', include: pure } },
      {
        test: {
          name: 'integration',
          include: ['test/**/*.test.ts'],
          exclude: [...pure, ...browser, ...checks],
          globalSetup: ['./test/support/database.ts'],
          // A file's modules serve the next one too: nothing in src/ keeps a state of its own, and reading it anew is a third of a run.
          isolate: false,
          testTimeout: 30_000,
          hookTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'browser',
          include: browser,
          globalSetup: ['./test/support/database.ts', './test/e2e/build-console.ts'],
          testTimeout: 240_000,
          hookTimeout: 60_000,
        },
      },
      { test: { name: 'checks', include: checks, testTimeout: 120_000 } },
    ],
  },
})
