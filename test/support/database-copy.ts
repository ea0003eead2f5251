import { inject } from 'vitest'
import { type ConnectionOptions, connect, type Db } from '../../src/database/connection.ts'
import { superuser } from '../../src/database/postmaster.ts'

/** A database of one test file's own, migrated and empty. */
export interface DatabaseCopy {
  db: Db
  connection: ConnectionOptions
  drop(): Promise<void>
}

let copies = 0

/** Copies the run's template: about 25 ms. */
export async function copyDatabase(): Promise<DatabaseCopy> {
  const host = inject('postgres')
  const database = `t_${process.pid}_${++copies}_${Date.now()}`
  await asSuperuser(host, `create database ${database} template muster owner muster strategy = file_copy`)
  const connection = { host, port: 5432, user: 'muster', database, ssl: false } as const
  const db = connect(connection)
  return {
    db,
    connection,
    drop: async () => {
      await db.close()
      await asSuperuser(host, `drop database if exists ${database} with (force)`)
    },
  }
}

/** What somebody does who can write the whole database, the log included. */
export async function behindItsBack({ connection }: DatabaseCopy, statement: string): Promise<void> {
  const client = superuser(connection.host ?? '', 'muster tests')
  Object.assign(client, { database: connection.database })
  ;(client as unknown as { connectionParameters: { database: string } }).connectionParameters.database = connection.database ?? ''
  await client.connect()
  try {
    await client.query(`set session_replication_role = replica; ${statement}`)
  } finally {
    await client.end()
  }
}

async function asSuperuser(host: string, statement: string): Promise<void> {
  const client = superuser(host, 'muster tests')
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
