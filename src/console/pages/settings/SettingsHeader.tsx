import { PageHeader } from '../../parts/PageHeader.tsx'
import { TabLinks } from '../../parts/TabLinks.tsx'

/** What stands above every page of the settings. */
export function SettingsHeader({ org, page }: { org: string; page: string }) {
  const at = `/o/${org}/settings`
  return (
    <PageHeader title="Settings" windowTitle={`${page} · Settings · ${org}`}>
      <TabLinks
        label="Settings"
        tabs={[
          { to: at, label: 'General', exact: true },
          { to: `${at}/admins`, label: 'Admins' },
          { to: `${at}/sign-in`, label: 'Sign-in' },
          { to: `${at}/sessions`, label: 'Your sign-in' },
          { to: `${at}/tokens`, label: 'API tokens' },
        ]}
      />
    </PageHeader>
  )
}
