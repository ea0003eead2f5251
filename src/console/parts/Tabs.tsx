import { Tabs as MantineTabs } from '@mantine/core'
import type { ReactNode } from 'react'
import styles from './Tabs.module.css'
import { number } from './words.ts'

interface Props<Value extends string> {
  label: string
  value: Value
  onChange: (value: Value) => void
  tabs: { value: Value; label: ReactNode; count?: number | undefined }[]
}

/** Tabs with their counts; what they choose stands below them. */
export const Tabs = <Value extends string>({ label, value, onChange, tabs }: Props<Value>) => (
  <MantineTabs
    value={value}
    onChange={(next) => next && onChange(next as Value)}
    classNames={{ root: styles.root, list: styles.list, tab: styles.tab }}
    activateTabWithKeyboard={false}
  >
    <MantineTabs.List aria-label={label}>
      {tabs.map((tab) => (
        <MantineTabs.Tab key={tab.value} value={tab.value} aria-controls={undefined}>
          {tab.label}
          {tab.count !== undefined && <span className={styles.count}>{number(tab.count)}</span>}
        </MantineTabs.Tab>
      ))}
    </MantineTabs.List>
  </MantineTabs>
)
