import { Command, InvalidArgumentError } from 'commander'
import { answer } from '../api.ts'
import { contextOf } from '../context.ts'
import { exit, Failure } from '../failure.ts'
import { wholeNumber } from '../lists.ts'
import type { Organization } from '../shapes.ts'
import { organizationView } from '../views/organization.ts'
import { print } from '../views/output.ts'

const show = new Command('show')
  .description('the organization and its settings')
  .action(async (_options: object, command: Command) => {
    const { api, out } = await contextOf(command)
    print(out, await answer<Organization>(api.GET('/api/v1/organization')), organizationView)
  })

const set = new Command('set')
  .description('which runs need the approval of a second person; for owners')
  .option('--approval-over <n>', 'runs that take access from more than so many people; none: no run', peopleOrNone)
  .option('--approval-hours <n>', 'how long a run waits for it', wholeNumber)
  .action(async (options: { approvalOver?: number | null; approvalHours?: number }, command: Command) => {
    const { approvalOver: peopleLosing, approvalHours: expiresHours } = options
    const approval = {
      ...(peopleLosing === undefined ? {} : { peopleLosing }),
      ...(expiresHours === undefined ? {} : { expiresHours }),
    }
    if (Object.keys(approval).length === 0)
      throw new Failure(exit.usage, 'Nothing is to be changed.', 'Say what: muster organization set --help')
    const { api, out } = await contextOf(command)
    print(out, await answer<Organization>(api.PATCH('/api/v1/organization', { body: { approval } })), organizationView)
  })

function peopleOrNone(given: string): number | null {
  if (given === 'none') return null
  if (!/^\d{1,9}$/.test(given)) throw new InvalidArgumentError('It is a whole number, or none.')
  return Number(given)
}

export const organization = new Command('organization')
  .description('the organization and its settings: {show|set}')
  .addCommand(show)
  .addCommand(set)
