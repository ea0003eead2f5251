import { Button, FileButton } from '@mantine/core'
import { IconCircleCheck, IconDownload, IconUpload } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router'
import {
  type ComparedGroup,
  comparedGroups,
  type Finding,
  type Findings,
  reconciliationOf,
  useCompare,
} from '../../../data/reconciliation.ts'
import { type Column, DataTable } from '../../../parts/DataTable.tsx'
import { Count, GroupName, Time } from '../../../parts/figures.tsx'
import { ListPage } from '../../../parts/ListPage.tsx'
import { SearchField } from '../../../parts/SearchField.tsx'
import { Chip, StateChip } from '../../../parts/StateChip.tsx'
import { Empty, FailedLine, Waiting } from '../../../parts/states.tsx'
import { Tabs } from '../../../parts/Tabs.tsx'
import { counted, number } from '../../../parts/words.ts'
import { DirectoryHeader } from '../DirectoryHeader.tsx'
import styles from './ReconcilePage.module.css'

const findingWords: Record<Finding, string> = {
  missing: 'Missing here',
  extra: 'Extra here',
  differing: 'Members differ',
  equal: 'Equal',
}

const noneWords: Record<Finding, string> = {
  missing: 'No group is missing here.',
  extra: 'No group is extra here.',
  differing: 'No group’s members differ.',
  equal: 'No group is equal.',
}

const worstOf = (found: Findings | null | undefined): Finding =>
  !found || found.differing > 0 ? 'differing' : found.missing.groups > 0 ? 'missing' : found.extra.groups > 0 ? 'extra' : 'equal'

/** The provider's own list beside what it pushed: what is missing here, extra here, or differs. */
export function ReconcilePage() {
  const { org, dir } = useParams({ from: '/o/$org/directories/$dir/reconcile' })
  const search = useSearch({ from: '/o/$org/directories/$dir/reconcile' })
  const navigate = useNavigate({ from: '/o/$org/directories/$dir/reconcile' })
  const { data } = useQuery(reconciliationOf(dir))
  const compare = useCompare(dir)
  const say = (next: Partial<typeof search>) => void navigate({ search: { ...search, ...next }, replace: true })
  const found = data?.found
  const finding = (search.finding as Finding | undefined) ?? worstOf(found)
  return (
    <ListPage
      hasTabs
      header={
        <DirectoryHeader
          org={org}
          dir={dir}
          page="Reconcile"
          actions={
            <FileButton accept=".csv,.json,text/csv,application/json" onChange={(file) => file && compare.mutate(file)}>
              {(props) => (
                <Button
                  {...props}
                  leftSection={<IconUpload size={16} />}
                  loading={compare.isPending}
                  disabled={data?.underWay != null}
                >
                  Compare a list
                </Button>
              )}
            </FileButton>
          }
        />
      }
      tools={
        <div className={styles.head}>
          <FailedLine error={compare.error} />
          {data?.underWay && (
            <p role="status" className="second">
              Comparing: {number(data.underWay.comparedGroups)} of {counted(data.underWay.groups, 'group')}. What was found before
              stays until it is done.
            </p>
          )}
          {found && <Found found={found} />}
        </div>
      }
    >
      {data === undefined ? (
        <Waiting />
      ) : found == null ? (
        <Empty title="No list was compared yet.">
          Export your provider’s groups and members as CSV with the columns group,user_name, or as JSON, and compare it: every
          group that is missing here, extra here or different is named. From a shell:{' '}
          <code className="mono">muster reconcile {dir} --file groups.csv</code>
        </Empty>
      ) : (
        <>
          <Tabs
            label="What was found"
            value={finding}
            onChange={(next) => say({ finding: next })}
            tabs={[
              { value: 'differing', label: findingWords.differing, count: found.differing },
              { value: 'missing', label: findingWords.missing, count: found.missing.groups },
              { value: 'extra', label: findingWords.extra, count: found.extra.groups },
              { value: 'equal', label: findingWords.equal },
            ]}
          />
          <div className={styles.tools}>
            <SearchField value={search.q ?? ''} onChange={(q) => say({ q: q || undefined })} placeholder="Search groups" />
            <Button
              component="a"
              href={`/api/v1/directories/${encodeURIComponent(dir)}/reconciliation/groups?format=csv&finding=${finding}`}
              leftSection={<IconDownload size={16} />}
            >
              Download CSV
            </Button>
          </div>
          <DataTable
            label={findingWords[finding]}
            list={comparedGroups(dir, { finding, ...(search.q ? { search: search.q } : {}) })}
            columns={columns(org, dir)}
            idOf={({ name, id }) => id ?? name}
            empty={search.q ? <Empty title="No group matches." /> : <Empty title={noneWords[finding]} />}
          />
        </>
      )}
    </ListPage>
  )
}

const Found = ({ found }: { found: Findings }) => (
  <div className={styles.found}>
    {found.isEqual ? (
      <>
        <IconCircleCheck size={24} stroke={1.75} className="gained" aria-hidden />
        <div>
          <p className="strong">
            No difference: {number(found.listed.groups)} = {counted(found.pushed.groups, 'group')}
          </p>
          <p className="second">
            {counted(found.listed.memberships, 'membership')} on both sides, compared <Time at={found.comparedAt} /> by{' '}
            {found.startedBy}
          </p>
        </div>
      </>
    ) : (
      <div>
        <p className="strong">
          Listed {counted(found.listed.groups, 'group')} with {counted(found.listed.memberships, 'membership')}; pushed{' '}
          {counted(found.pushed.groups, 'group')} with {number(found.pushed.memberships)}
        </p>
        <p className="second">
          {counted(found.missing.members, 'member')} missing here, {number(found.extra.members)} extra
          {found.unknownPeople > 0 && `, ${counted(found.unknownPeople, 'person is', 'people are')} not pushed at all`}. Compared{' '}
          <Time at={found.comparedAt} /> by {found.startedBy}
        </p>
      </div>
    )}
  </div>
)

const columns = (org: string, dir: string): Column<ComparedGroup>[] => [
  {
    key: 'name',
    header: 'Group',
    width: 'minmax(180px, 1fr)',
    cell: ({ id, name }) =>
      id === null ? (
        <GroupName name={name} />
      ) : (
        <Link to="/o/$org/directories/$dir/review/$pgroup" params={{ org, dir, pgroup: id }} className="strong">
          <GroupName name={name} />
        </Link>
      ),
  },
  { key: 'finding', header: 'Finding', width: '150px', cell: ({ finding }) => <Chip>{findingWords[finding]}</Chip> },
  {
    key: 'state',
    header: 'State',
    width: '140px',
    cell: ({ state }) => (state ? <StateChip state={state} /> : <span className="grey">not pushed</span>),
  },
  { key: 'listed', header: 'Listed', width: '90px', align: 'end', cell: ({ listedMembers }) => <Count of={listedMembers} /> },
  { key: 'pushed', header: 'Pushed', width: '90px', align: 'end', cell: ({ pushedMembers }) => <Count of={pushedMembers} /> },
  { key: 'missing', header: 'Missing', width: '90px', align: 'end', cell: ({ missing }) => <Count of={missing} /> },
  { key: 'extra', header: 'Extra', width: '90px', align: 'end', cell: ({ extra }) => <Count of={extra} /> },
]
