import { connect } from '../src/database/connection.ts'
import { startJobs } from '../src/database/jobs.ts'
import { buildApp } from '../src/http/app.ts'
import { startWorkers } from '../src/server/workers.ts'

// The server alone in a process, on a database that the benchmark holds.

const { connection, scimRate, keepRequests = true } = JSON.parse(process.argv[2] ?? '{}')
const db = connect(connection)
const jobs = await startJobs(connection, (error) => console.error(error))
await startWorkers(db, jobs)
const app = await buildApp({ db, jobs, publicUrl: 'http://127.0.0.1', version: 'bench', scimRate, keepRequests })
process.on('SIGTERM', () => process.exit(0))
process.send?.(await app.listen({ host: '127.0.0.1', port: 0 }))
