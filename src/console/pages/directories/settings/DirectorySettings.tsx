import { Button, Checkbox } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { type FormEvent, useState } from 'react'
import { type DirectoryDetail, directoryOf, type Settings, useChangeDirectory } from '../../../data/directories.ts'
import { Field, Fields } from '../../../parts/Field.tsx'
import { Failed, FailedLine, Waiting } from '../../../parts/states.tsx'
import { DirectoryHeader } from '../DirectoryHeader.tsx'
import { policySentences, policyWords } from '../providers.ts'
import { DirectoryTokens } from './DirectoryTokens.tsx'
import { Disconnect } from './Disconnect.tsx'

/** What a directory does with what is pushed, its tokens, and its end. */
export function DirectorySettings() {
  const { org, dir } = useParams({ from: '/o/$org/directories/$dir/settings' })
  const { data, error, refetch } = useQuery(directoryOf(dir))
  return (
    <div className="page">
      <DirectoryHeader org={org} dir={dir} page="Settings" />
      {error && !data ? (
        <Failed error={error} what="The settings could not be loaded" retry={() => void refetch()} />
      ) : data === undefined ? (
        <Waiting lines={8} />
      ) : (
        <>
          <SettingsForm key={data.id} directory={data} />
          <DirectoryTokens dir={dir} />
          <Disconnect org={org} dir={dir} />
        </>
      )}
    </div>
  )
}

const editable = [
  'conflictPolicy',
  'offerExistingGroups',
  'unknownMembers',
  'nestedGroups',
  'deletedGroups',
  'strict',
  'quietSeconds',
  'emailDomains',
  'guardMembersPercent',
  'guardMembersOver',
  'guardPeople',
  'guardPeoplePercent',
  'guardGroups',
  'guardGroupsPercent',
] as const

function SettingsForm({ directory }: { directory: DirectoryDetail }) {
  const [changes, setChanges] = useState<Settings>({})
  const change = useChangeDirectory(directory.name)
  const value = { ...directory, ...changes }
  const set = (next: Settings) => {
    change.reset()
    setChanges({ ...changes, ...next })
  }
  const isChanged = editable.some((name) => changes[name] !== undefined && String(changes[name]) !== String(directory[name]))
  const save = (event: FormEvent) => {
    event.preventDefault()
    change.mutate(changes, { onSuccess: () => setChanges({}) })
  }
  const numberField = (name: keyof Settings, label: string, unit: string, help?: string, max = 100) => (
    <Field label={label} help={help}>
      {(props) => (
        <span className="with-unit">
          <input
            {...props}
            className="field"
            type="number"
            min={0}
            max={max}
            style={{ width: 90 }}
            value={String(value[name])}
            onChange={(event) => set({ [name]: event.currentTarget.valueAsNumber })}
          />{' '}
          {unit}
        </span>
      )}
    </Field>
  )
  return (
    <form className="card narrow" onSubmit={save}>
      <header>
        <h2>What it does with what is pushed</h2>
      </header>
      <div className="body">
        <Fields>
          <Field label="A group of that name exists" help={policySentences[value.conflictPolicy]}>
            {(props) => (
              <select
                {...props}
                className="choose"
                value={value.conflictPolicy}
                onChange={(event) => set({ conflictPolicy: event.currentTarget.value as DirectoryDetail['conflictPolicy'] })}
              >
                {Object.entries(policyWords).map(([policy, word]) => (
                  <option key={policy} value={policy}>
                    {word}
                  </option>
                ))}
              </select>
            )}
          </Field>
          <Field
            label="Offer existing groups"
            help="So that the provider can link to a group that is here already. Nothing is ever written through."
          >
            {(props) => (
              <select
                {...props}
                className="choose"
                value={value.offerExistingGroups}
                onChange={(event) =>
                  set({ offerExistingGroups: event.currentTarget.value as DirectoryDetail['offerExistingGroups'] })
                }
              >
                <option value="names">Their names</option>
                <option value="members">Their names and members</option>
                <option value="off">Not at all</option>
              </select>
            )}
          </Field>
          <Field label="A member nobody knows" help="Recorded members count as soon as their user is pushed.">
            {(props) => (
              <select
                {...props}
                className="choose"
                value={value.unknownMembers}
                onChange={(event) => set({ unknownMembers: event.currentTarget.value as DirectoryDetail['unknownMembers'] })}
              >
                <option value="record">Record it, take the rest</option>
                <option value="refuse">Refuse the request</option>
              </select>
            )}
          </Field>
          <Field label="A group as member of a group">
            {(props) => (
              <select
                {...props}
                className="choose"
                value={value.nestedGroups}
                onChange={(event) => set({ nestedGroups: event.currentTarget.value as DirectoryDetail['nestedGroups'] })}
              >
                <option value="flatten">Its people are members</option>
                <option value="refuse">Refuse the request</option>
              </select>
            )}
          </Field>
          <Field label="A synced group is deleted at the provider" help="Deleted groups can be restored for 30 days.">
            {(props) => (
              <select
                {...props}
                className="choose"
                value={value.deletedGroups}
                onChange={(event) => set({ deletedGroups: event.currentTarget.value as DirectoryDetail['deletedGroups'] })}
              >
                <option value="unmanage">Keep it here, unmanaged</option>
                <option value="delete">Delete it here, too</option>
              </select>
            )}
          </Field>
          <Field label="E-mail domains" help="People of other domains are not taken from this directory. None named: all are.">
            {(props) => (
              <input
                {...props}
                className="field"
                style={{ width: '100%', maxWidth: 360 }}
                placeholder="acme.com, acme.org"
                value={value.emailDomains.join(', ')}
                onChange={(event) =>
                  set({
                    emailDomains: event.currentTarget.value
                      .split(/[\s,]+/)
                      .filter((domain, at, all) => domain !== '' || at === all.length - 1),
                  })
                }
              />
            )}
          </Field>
          {numberField(
            'quietSeconds',
            'Quiet time',
            'seconds',
            'A group is still being filled until no member came for this long. 0 switches it off.',
            86_400,
          )}
          <Field label="Unknown attributes">
            {(props) => (
              <Checkbox
                {...props}
                size="md"
                label="Refuse them (strict), as the interoperability profile asks"
                checked={value.strict}
                onChange={(event) => set({ strict: event.currentTarget.checked })}
              />
            )}
          </Field>
        </Fields>
      </div>
      <header className="again">
        <h2>Guard: what waits when too much is taken within an hour</h2>
      </header>
      <div className="body">
        <Fields>
          {numberField('guardMembersPercent', 'Members of one group', '% of its size')}
          {numberField('guardMembersOver', 'In groups of more than', 'members', undefined, 1_000_000)}
          {numberField('guardPeople', 'People switched off', 'people', undefined, 1_000_000)}
          {numberField('guardPeoplePercent', 'and of those pushed', '% of the directory’s people')}
          {numberField('guardGroups', 'Groups deleted', 'groups', undefined, 1_000_000)}
          {numberField('guardGroupsPercent', 'and of those pushed', '% of the directory’s groups')}
        </Fields>
        <p className="small grey">
          Additions always apply. The last holder of an administrative role, and the organization’s last owner, are never taken by
          a push.
        </p>
      </div>
      <footer className="deeds">
        <FailedLine error={change.error} />
        {change.isSuccess && !isChanged && (
          <span role="status" className="gained">
            Saved.
          </span>
        )}
        {isChanged && (
          <Button type="button" onClick={() => setChanges({})}>
            Discard
          </Button>
        )}
        <Button type="submit" variant="filled" disabled={!isChanged} loading={change.isPending}>
          Save
        </Button>
      </footer>
    </form>
  )
}
