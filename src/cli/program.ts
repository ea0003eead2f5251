import { Command } from 'commander'
import { access } from './commands/access.ts'
import { admin } from './commands/admin.ts'
import { adminToken } from './commands/admin-token.ts'
import { api } from './commands/api.ts'
import { audit } from './commands/audit.ts'
import { demo } from './commands/demo.ts'
import { directories } from './commands/directories.ts'
import { events } from './commands/events.ts'
import { groups } from './commands/groups.ts'
import { importCommand } from './commands/import.ts'
import { login, logout } from './commands/login.ts'
import { migrate } from './commands/migrate.ts'
import { open } from './commands/open.ts'
import { organization } from './commands/organization.ts'
import { people } from './commands/people.ts'
import { profiles } from './commands/profiles.ts'
import { providers } from './commands/providers.ts'
import { push } from './commands/push.ts'
import { reconcile } from './commands/reconcile.ts'
import { reviews } from './commands/reviews.ts'
import { runs } from './commands/runs.ts'
import { secrets } from './commands/secrets.ts'
import { serve } from './commands/serve.ts'
import { sessions } from './commands/sessions.ts'
import { suggestions } from './commands/suggestions.ts'
import { sync } from './commands/sync.ts'
import { version, versionCommand } from './commands/version.ts'
import { webhooks } from './commands/webhooks.ts'
import { whoami } from './commands/whoami.ts'
import { why } from './commands/why.ts'
import { addCommonOptions } from './context.ts'

const examples = `Muster: every pushed group passes muster first.

Try it
  muster demo                                       a real organization, pushed and ready to be reviewed
Begin
  muster serve                                      start the server; it prints a link to set it up
  muster import ./organization                      people, groups, members and access from CSV files
  muster directories create okta --provider okta    the SCIM address and token for your provider
Review, then sync
  muster reviews effect --all                       what syncing everything would do to access
  muster reviews list                               group by group, what takes most first
  muster sync --only takes-nothing                  all that takes nothing from anybody
  muster sync kubernetes/sig-docs                   one group; asks where access is taken
  muster reviews plan -o review.json                keep a review; muster sync --plan review.json does exactly that
Ask
  muster why bentheelder kubernetes/website/admin   why somebody has an access, or not; why PERSON GROUP, why GROUP
  muster audit list --subject kubernetes/sig-docs   who changed it, and how
`

const exitCodes = `
Where and who: --server and -P before MUSTER_SERVER and MUSTER_TOKEN (or MUSTER_TOKEN_FILE) before the profile of muster login.
Exit codes: 0 done · 1 error · 2 changes await (--detailed-exitcode) · 3 some groups skipped or failed · 4 sign-in needed or refused
            5 the review changed, nothing was done · 6 refused (--max-lost, not confirmed) · 7 the run waits for approval
            64 wrong usage · 130 Ctrl-C
`

// They read the server's settings and have options of their own.
const onServer = [serve, migrate]

/** The whole command line. Errors of usage are thrown, not printed: `main.ts` ends the process. */
export function program(): Command {
  const muster = new Command('muster').version(version, '-V, --version', 'which version this is').usage('<command> [options]')
  const overTheApi = [
    organization,
    directories,
    importCommand,
    push,
    reconcile,
    reviews,
    suggestions,
    sync,
    runs,
    groups,
    people,
    access,
    why,
    audit,
    events,
    webhooks,
    admin,
    sessions,
    providers,
    login,
    logout,
    whoami,
    open,
    profiles,
    api,
  ]
  for (const command of [...overTheApi, adminToken, secrets, versionCommand, demo]) addCommonOptionsToAll(command)
  for (const command of [demo, ...onServer, adminToken, secrets, ...overTheApi, versionCommand]) muster.addCommand(command)
  addCommonOptions(muster).addHelpText('before', examples).addHelpText('after', exitCodes)
  prepare(muster)
  return muster
}

function addCommonOptionsToAll(command: Command): void {
  addCommonOptions(command)
  for (const below of command.commands) addCommonOptionsToAll(below)
}

// Options belong to the command after which they stand, so that one may have an `-o` of its own.
function prepare(command: Command): void {
  command
    .enablePositionalOptions()
    .exitOverride()
    .helpCommand(command.name() === 'muster')
    .configureOutput({ outputError: () => {}, getOutHelpWidth: () => 120 })
  for (const below of command.commands) prepare(below)
}
