import { Command } from 'commander'
import { plainly } from '../../server/plainly.ts'
import { outputOf } from '../context.ts'
import { runDemo } from '../demo.ts'
import { demoFolder } from '../profile.ts'

export const demo = new Command('demo')
  .description('a real organization in a server of its own: imported, pushed as Okta would, ready to be reviewed')
  .option('--exit', 'end after the review')
  .option('--fresh', 'forget the last demo and begin anew')
  .option('--data <folder>', 'where the demo keeps its data', demoFolder)
  .action((options: { exit?: true; fresh?: true; data: string }, command: Command) =>
    plainly(() => runDemo(options, outputOf(command))),
  )
