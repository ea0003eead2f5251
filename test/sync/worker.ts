import { connect } from '../../src/database/connection.ts'
import { runSync } from '../../src/sync/run-sync.ts'

// A node's worker, in a process of its own: does one run and says after each group which it was.

const { connection, orgId, runId } = JSON.parse(process.argv[2] ?? '{}')
const db = connect(connection)
await runSync(db, { orgId, runId }, { onGroup: (id, { result }) => void process.send?.({ id, result }) })
await db.close()
process.disconnect?.()
