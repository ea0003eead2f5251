import { type Command, Option } from 'commander'
import { again, wholeNumber } from '../../lists.ts'

export interface SettingOptions {
  conflictPolicy?: 'review' | 'overwrite' | 'refuse'
  unknownMembers?: 'record' | 'refuse'
  nestedGroups?: 'flatten' | 'refuse'
  deletedGroups?: 'unmanage' | 'delete'
  strict?: boolean
  offerExistingGroups?: 'names' | 'members' | 'off'
  quietSeconds?: number
  emailDomain?: string[]
  guardMembersPercent?: number
  guardMembersOver?: number
  guardPeople?: number
  guardPeoplePercent?: number
  guardGroups?: number
  guardGroupsPercent?: number
}

/** The settings of a directory, as options of `create` and `set`. */
export function addSettingOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--conflict-policy <policy>',
        'when a pushed name is taken: keep it for review, overwrite it once it is filled, or answer 409',
      ).choices(['review', 'overwrite', 'refuse']),
    )
    .addOption(
      new Option('--unknown-members <what>', 'members that were not pushed: record them, or answer 400').choices([
        'record',
        'refuse',
      ]),
    )
    .addOption(
      new Option('--nested-groups <what>', 'members that are groups: take their members for members, or answer 400').choices([
        'flatten',
        'refuse',
      ]),
    )
    .addOption(
      new Option(
        '--deleted-groups <what>',
        'synced groups that the provider deletes: keep them unmanaged, or delete them',
      ).choices(['unmanage', 'delete']),
    )
    .option('--strict', 'answer 400 to a push of attributes that no schema has')
    .option('--no-strict', 'pass them over')
    .addOption(
      new Option(
        '--offer-existing-groups <what>',
        'show the provider groups that nobody manages, to link to them: their names, with members, or off',
      ).choices(['names', 'members', 'off']),
    )
    .option('--quiet-seconds <n>', 'how long after its last member a group counts as being filled', wholeNumber)
    .option('--email-domain <domain>', 'only people of this domain; may be given again, "" for all', again)
    .option('--guard-members-percent <n>', 'how much of a group pushes may take within an hour; 100 is all', wholeNumber)
    .option('--guard-members-over <n>', 'of groups of more members than this', wholeNumber)
    .option('--guard-people <n>', 'how many people they may switch off or delete within an hour', wholeNumber)
    .option('--guard-people-percent <n>', 'or so many of a hundred, where those are more', wholeNumber)
    .option('--guard-groups <n>', 'how many groups they may delete within an hour', wholeNumber)
    .option('--guard-groups-percent <n>', 'or so many of a hundred, where those are more', wholeNumber)
}

/** The settings that were given, as the API names them. */
export function settingsOf(options: SettingOptions) {
  const { conflictPolicy, unknownMembers, nestedGroups, deletedGroups, strict, offerExistingGroups, quietSeconds, emailDomain } =
    options
  const { guardMembersPercent, guardMembersOver, guardPeople, guardPeoplePercent, guardGroups, guardGroupsPercent } = options
  return {
    ...(conflictPolicy === undefined ? {} : { conflictPolicy }),
    ...(unknownMembers === undefined ? {} : { unknownMembers }),
    ...(nestedGroups === undefined ? {} : { nestedGroups }),
    ...(deletedGroups === undefined ? {} : { deletedGroups }),
    ...(strict === undefined ? {} : { strict }),
    ...(offerExistingGroups === undefined ? {} : { offerExistingGroups }),
    ...(quietSeconds === undefined ? {} : { quietSeconds }),
    ...(guardMembersPercent === undefined ? {} : { guardMembersPercent }),
    ...(guardMembersOver === undefined ? {} : { guardMembersOver }),
    ...(guardPeople === undefined ? {} : { guardPeople }),
    ...(guardPeoplePercent === undefined ? {} : { guardPeoplePercent }),
    ...(guardGroups === undefined ? {} : { guardGroups }),
    ...(guardGroupsPercent === undefined ? {} : { guardGroupsPercent }),
    ...(emailDomain === undefined ? {} : { emailDomains: emailDomain.filter((domain) => domain !== '') }),
  }
}
