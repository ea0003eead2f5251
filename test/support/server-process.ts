import { connect } from '../../src/database/connection.ts'
import { startJobs } from '../../src/database/jobs.ts'
import { buildApp } from '../../src/http/app.ts'
import { startWorkers } from '../../src/server/workers.ts'
import { freePort } from './server.ts'

// A server in a process of its own on a test's database, as one of several nodes: says where it listens. No limit of requests a second.

const connection = JSON.parse(process.argv[2] ?? '{}')
const db = connect(connection)
const jobs = await startJobs(connection, (error) => console.error(error))
await startWorkers(db, jobs)
const port = await freePort()
const publicUrl = `http://127.0.0.1:${port}`
const app = await buildApp({ db, jobs, publicUrl, version: '0.0.0-test', logger: false, scimRate: 0 })
await app.listen({ host: '127.0.0.1', port })
console.log(`listening ${publicUrl}`)
