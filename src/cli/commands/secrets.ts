import { Command } from 'commander'
import { readConfig } from '../../server/config.ts'
import { plainly } from '../../server/plainly.ts'
import { outputOf } from '../context.ts'
import { print } from '../views/output.ts'

const rotate = new Command('rotate')
  .description(
    'seal every secret at rest under the first key of MUSTER_SECRET, on the server’s own machine; the others can go after',
  )
  .action((_options: object, command: Command) =>
    plainly(async () => {
      const { rotateSecrets } = await import('../../server/rotate-secrets.ts')
      const sealed = await rotateSecrets(readConfig().config)
      print(outputOf(command), { sealed }, () => `Sealed anew: ${sealed}.`)
    }),
  )

export const secrets = new Command('secrets').description('secrets at rest: {rotate}').addCommand(rotate)
