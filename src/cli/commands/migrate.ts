import { Command } from 'commander'
import { readConfig } from '../../server/config.ts'
import { plainly } from '../../server/plainly.ts'

export const migrate = new Command('migrate')
  .description('bring the database of DATABASE_URL or MUSTER_DATA to this version; serve does it too')
  .action(() =>
    plainly(async () => {
      const { migrateNow } = await import('../../server/migrate.ts')
      console.log(await migrateNow(readConfig().config))
    }),
  )
