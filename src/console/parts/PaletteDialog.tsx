import { Spotlight, type SpotlightActionData, spotlight } from '@mantine/spotlight'
import '@mantine/spotlight/styles.css'
import { useDebouncedValue } from '@mantine/hooks'
import { IconSearch, IconUser, IconUsersGroup } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { directories } from '../data/directories.ts'
import { found } from '../data/find.ts'

/** What ⌘K opens: to a page, a directory, a group, a person. Open as soon as it is there. */
export function PaletteDialog({ org, places }: { org: string; places: { to: string; label: string }[] }) {
  const navigate = useNavigate()
  useEffect(() => spotlight.open(), [])
  const [query, setQuery] = useState('')
  const [asked] = useDebouncedValue(query, 200)
  const names = useQuery(directories())
  const matching = useQuery(found(asked))
  const go = (to: string) => () => void navigate({ to })
  const at = `/o/${org}`
  const matches = (label: string) => label.toLowerCase().includes(query.toLowerCase())
  const action = (id: string, label: string, to: string, rest: Partial<SpotlightActionData> = {}) => ({
    id,
    label,
    onClick: go(to),
    ...rest,
  })
  const groups = [
    {
      group: 'Go to',
      actions: [
        ...(names.data?.items ?? []).map(({ id, name }) =>
          action(id, `Review ${name}`, `${at}/directories/${encodeURIComponent(name)}/review`),
        ),
        ...places.map(({ to, label }) => action(to, label, to)),
      ].filter(({ label }) => matches(label)),
    },
    {
      group: 'Groups',
      actions: (query ? (matching.data?.groups ?? []) : []).map(({ id, name }) =>
        action(id, name, `${at}/groups/${id}`, { leftSection: <IconUsersGroup size={16} stroke={1.75} aria-hidden /> }),
      ),
    },
    {
      group: 'People',
      actions: (query ? (matching.data?.people ?? []) : []).map(({ id, userName, displayName }) =>
        action(id, userName, `${at}/people/${id}`, {
          leftSection: <IconUser size={16} stroke={1.75} aria-hidden />,
          ...(displayName && displayName !== userName ? { description: displayName } : {}),
        }),
      ),
    },
  ].filter(({ actions }) => actions.length > 0)
  return (
    <Spotlight
      actions={groups}
      query={query}
      onQueryChange={setQuery}
      // The server has searched already.
      filter={(_, all) => all}
      shortcut={null}
      scrollable
      overlayProps={{ blur: 0, backgroundOpacity: 0.35 }}
      maxHeight={420}
      nothingFound={matching.isFetching ? 'Searching…' : 'Nothing of that name.'}
      searchProps={{
        leftSection: <IconSearch size={16} aria-hidden />,
        placeholder: 'Go to group, person, page…',
        'aria-label': 'Go to',
      }}
    />
  )
}
