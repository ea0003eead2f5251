import { Command } from 'commander'
import { outputOf } from '../context.ts'
import { exit, Failure } from '../failure.ts'
import { environment, type ProfileFile, profilesPath, readProfiles, writeProfiles } from '../profile.ts'
import { print } from '../views/output.ts'
import { table } from '../views/table.ts'

const list = new Command('list').description('the profiles on this machine').action((_options: object, command: Command) => {
  const env = environment()
  const { current, profiles } = readProfiles(profilesPath(env))
  const out = outputOf(command, env)
  const rows = Object.entries(profiles).map(([name, { server, org }]) => ({
    name,
    server,
    org: org ?? null,
    isCurrent: name === current,
  }))
  if (rows.length === 0) out.say('There is none. Make one: muster login --server URL --token-stdin')
  print(out, rows, () =>
    rows.length === 0
      ? ''
      : table(
          rows,
          [
            { title: 'PROFILE', value: (row) => row.name },
            { title: 'SERVER', value: (row) => row.server },
            { title: 'ORGANIZATION', value: (row) => row.org },
            { title: 'IN USE', value: (row) => row.isCurrent, shown: (row) => (row.isCurrent ? '✓' : '') },
          ],
          out,
        ),
  )
})

const use = new Command('use')
  .description('use a profile where none is named')
  .argument('<name>')
  .action((name: string, _options: object, command: Command) => {
    change(name, (file) => ({ ...file, current: name }))
    outputOf(command).say(`Using ${name}.`)
  })

const remove = new Command('remove')
  .description('forget a profile')
  .argument('<name>')
  .action((name: string, _options: object, command: Command) => {
    change(name, ({ current, profiles: { [name]: _, ...profiles } }) => ({
      ...(current === undefined || current === name ? {} : { current }),
      profiles,
    }))
    outputOf(command).say(`Forgot ${name}.`)
  })

function change(name: string, to: (file: ProfileFile) => ProfileFile): void {
  const path = profilesPath(environment())
  const file = readProfiles(path)
  if (!file.profiles[name])
    throw new Failure(exit.usage, `There is no profile "${name}".`, 'See which there are: muster profiles list')
  writeProfiles(path, to(file))
}

export const profiles = new Command('profiles')
  .description('servers and tokens kept on this machine: {list|use|remove}')
  .addCommand(list)
  .addCommand(use)
  .addCommand(remove)
