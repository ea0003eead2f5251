import { Command } from 'commander'
import { answer } from '../api.ts'
import { contextOf } from '../context.ts'
import { addListOptions, again, type ListOptions, listQuery, printList, wholeNumber } from '../lists.ts'
import type { Delivery, Listed, Webhook } from '../shapes.ts'
import { print } from '../views/output.ts'
import { deliveryList, webhookList, webhookView } from '../views/webhooks.ts'

interface Settings {
  url?: string
  kind?: string[]
  silentHours?: number
  enable?: true
  disable?: true
}

const list = addListOptions(new Command('list').description('who is told what happens')).action(
  async (options: ListOptions, command: Command) => {
    const { api, out } = await contextOf(command)
    printList(
      out,
      await answer<Listed<Webhook>>(api.GET('/api/v1/webhooks', { params: { query: listQuery(options) } })),
      webhookList,
      'Nobody is told. Have somebody told: muster webhooks create https://… or mailto:…',
    )
  },
)

const withSettings = (command: Command) =>
  command
    .option('--kind <kind>', 'only of this, or of several: review.created, group.held, run.finished, …', again)
    .option('--silent-hours <n>', 'after how many hours without a request to be told of a directory', wholeNumber)

const settingsOf = ({ url, kind, silentHours, enable, disable }: Settings) => ({
  ...(url === undefined ? {} : { url }),
  ...(kind === undefined ? {} : { kinds: kind as never[] }),
  ...(silentHours === undefined ? {} : { silentHours }),
  ...(enable || disable ? { isEnabled: enable === true } : {}),
})

const create = withSettings(
  new Command('create')
    .description('have somebody told what happens from now on; the secret of a webhook is shown once')
    .argument('<address>', 'https://HOST/PATH, or mailto:NAME@HOST'),
).action(async (url: string, options: Settings, command: Command) => {
  const { api, out } = await contextOf(command)
  print(out, await answer<Webhook>(api.POST('/api/v1/webhooks', { body: { ...settingsOf(options), url } })), webhookView)
})

const set = withSettings(
  new Command('set')
    .description('change what it is told, or where')
    .argument('<webhook>', 'its id')
    .option('--url <address>', 'where it is told')
    .option('--enable', 'tell it again')
    .option('--disable', 'tell it nothing'),
).action(async (webhook: string, options: Settings, command: Command) => {
  const { api, out } = await contextOf(command)
  const call = api.PATCH('/api/v1/webhooks/{webhook}', { params: { path: { webhook } }, body: settingsOf(options) })
  print(out, await answer<Webhook>(call), webhookView)
})

const rotate = new Command('rotate')
  .description('a new secret, shown once; the old one signs too for a day')
  .argument('<webhook>')
  .action(async (webhook: string, _options: object, command: Command) => {
    const { api, out } = await contextOf(command)
    print(
      out,
      await answer<Webhook>(api.POST('/api/v1/webhooks/{webhook}/rotate', { params: { path: { webhook } } })),
      webhookView,
    )
  })

const test = new Command('test')
  .description('tell it something for a test')
  .argument('<webhook>')
  .action(async (webhook: string, _options: object, command: Command) => {
    const { api, out } = await contextOf(command)
    await answer(api.POST('/api/v1/webhooks/{webhook}/test', { params: { path: { webhook } } }))
    out.say(`It is told within seconds. How that went: muster webhooks deliveries ${webhook}`)
  })

const remove = new Command('delete')
  .description('tell it no more')
  .argument('<webhook>')
  .action(async (webhook: string, _options: object, command: Command) => {
    const { api, out } = await contextOf(command)
    await answer(api.DELETE('/api/v1/webhooks/{webhook}', { params: { path: { webhook } } }))
    out.say('It is told no more.')
  })

const deliveries = addListOptions(
  new Command('deliveries').description('what it was told in the last 30 days, and how that went').argument('<webhook>'),
).action(async (webhook: string, options: ListOptions, command: Command) => {
  const { api, out } = await contextOf(command)
  const call = api.GET('/api/v1/webhooks/{webhook}/deliveries', { params: { path: { webhook }, query: listQuery(options) } })
  printList(out, await answer<Listed<Delivery>>(call), deliveryList, 'It was told nothing yet.')
})

const replay = new Command('replay')
  .description('tell it once more, under the same id')
  .argument('<webhook>')
  .argument('<delivery>')
  .action(async (webhook: string, delivery: string, _options: object, command: Command) => {
    const { api, out } = await contextOf(command)
    const path = { webhook, delivery }
    await answer(api.POST('/api/v1/webhooks/{webhook}/deliveries/{delivery}/replay', { params: { path } }))
    out.say('It is told again within seconds.')
  })

export const webhooks = new Command('webhooks')
  .description('who is told what happens, by signed webhook or mail: {list|create|set|rotate|test|delete|deliveries|replay}')
  .addCommand(list, { isDefault: true })
  .addCommand(create)
  .addCommand(set)
  .addCommand(rotate)
  .addCommand(test)
  .addCommand(remove)
  .addCommand(deliveries)
  .addCommand(replay)
