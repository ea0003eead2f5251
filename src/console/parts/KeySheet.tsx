import { Button } from '@mantine/core'
import { useState } from 'react'
import { Dialog } from './Dialog.tsx'
import styles from './KeySheet.module.css'
import { useKeys } from './keys.ts'

const keys: [string, string][] = [
  ['⌘K', 'go to a group, a person, a page'],
  ['/', 'search the list'],
  ['j · k', 'next and previous row'],
  ['x · ⇧x', 'tick the row, all rows up to it'],
  ['Enter', 'open the row'],
  ['v', 'viewed'],
  ['[ · ]', 'previous and next group'],
  ['1 – 4', 'overwrite, merge, rename existing, ignore'],
  ['s', 'open the sync dialog'],
  ['g r · g p · g u · g g · g o', 'review, people, runs, groups, overview'],
  ['Esc', 'back; select nothing'],
  ['?', 'this sheet'],
]

/** `?`: every key. They can be switched off in the account's menu. */
export function KeySheet() {
  const [isOpen, setOpen] = useState(false)
  useKeys({ '?': () => setOpen(true) })
  if (!isOpen) return null
  return (
    <Dialog
      title="Keys"
      size={460}
      onClose={() => setOpen(false)}
      foot={
        <Button size="md" onClick={() => setOpen(false)} data-autofocus>
          Close
        </Button>
      }
    >
      <dl className={styles.keys}>
        {keys.map(([key, what]) => (
          <div key={key}>
            <dt>{key}</dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  )
}
