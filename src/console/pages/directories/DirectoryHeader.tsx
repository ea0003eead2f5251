import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { directoryOf } from '../../data/directories.ts'
import { PageHeader } from '../../parts/PageHeader.tsx'
import { StateChip } from '../../parts/StateChip.tsx'
import { TabLinks } from '../../parts/TabLinks.tsx'

/** What stands above every page of a directory: which one, how it stands, and its pages. */
export function DirectoryHeader({ org, dir, page, actions }: { org: string; dir: string; page: string; actions?: ReactNode }) {
  const { data } = useQuery(directoryOf(dir))
  const at = `/o/${org}/directories/${encodeURIComponent(dir)}`
  return (
    <PageHeader
      title={<bdi>{dir}</bdi>}
      windowTitle={`${page} · ${dir} · ${org}`}
      trail={[
        <Link key="all" to="/o/$org/directories" params={{ org }}>
          Directories
        </Link>,
        <bdi key="this">{dir}</bdi>,
      ]}
      beside={data && <StateChip state={data.pausedAt ? 'paused' : data.observing ? 'observing' : 'live'} />}
      actions={actions}
    >
      <TabLinks
        label={`Pages of ${dir}`}
        tabs={[
          { to: at, label: 'Overview', exact: true },
          { to: `${at}/review`, label: 'Review', count: data?.groups.needsReview },
          { to: `${at}/held`, label: 'Waiting removals' },
          { to: `${at}/groups`, label: 'Provisioned groups', count: data?.groups.received },
          { to: `${at}/users`, label: 'Provisioned users', count: data?.users.received },
          { to: `${at}/people`, label: 'Who is whom' },
          { to: `${at}/requests`, label: 'Requests' },
          { to: `${at}/reconcile`, label: 'Reconcile' },
          { to: `${at}/settings`, label: 'Settings' },
        ]}
      />
    </PageHeader>
  )
}
