import { readConfig } from '../../src/server/config.ts'
import { runUntilSignalled } from '../../src/server/run.ts'
import { startServer } from '../../src/server/start.ts'

// A program for the tests: the server, with a fault that nobody handles at SIGUSR2.
process.on('SIGUSR2', () => void Promise.reject(new Error('planted')))
await runUntilSignalled(startServer(readConfig().config))
