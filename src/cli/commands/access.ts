import { Command } from 'commander'
import { type Api, answer } from '../api.ts'
import { contextOf } from '../context.ts'
import { Failure } from '../failure.ts'
import { accessesNamed, type NamedAccess } from '../lists.ts'
import type { Why } from '../shapes.ts'
import { print } from '../views/output.ts'
import { whyView } from '../views/why.ts'

const why = new Command('why')
  .description('why a person has an access, or why not')
  .argument('<person>', 'user name, e-mail or id')
  .argument('<access>', 'SITE/PRODUCT/ROLE')
  .action(async (person: string, access: string, _options: object, command: Command) => {
    const readings = accessesNamed(access)
    const { api, out } = await contextOf(command)
    print(out, await whyOf(api, person, readings), whyView)
  })

// Names may hold slashes: the first reading that there is, or what is said of the likeliest.
async function whyOf(api: Api, person: string, [reading, next, ...others]: [NamedAccess, ...NamedAccess[]]): Promise<Why> {
  try {
    return await answer<Why>(api.GET('/api/v1/people/{person}/access/why', { params: { path: { person }, query: reading } }))
  } catch (error) {
    if (!(error instanceof Failure) || next === undefined || !isNoSuchRole(error)) throw error
    return whyOf(api, person, [next, ...others]).catch((other) => {
      throw other instanceof Failure && isNoSuchRole(other) ? error : other
    })
  }
}

const isNoSuchRole = ({ problem, message }: Failure) =>
  (problem as { status?: number } | undefined)?.status === 404 && /role/.test(message)

export const access = new Command('access').description('who may do what: {why}').addCommand(why)
