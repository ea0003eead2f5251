import { ActionIcon } from '@mantine/core'
import { IconCheck, IconCopy } from '@tabler/icons-react'
import { useId, useState } from 'react'
import styles from './CopyField.module.css'

/** What is to be pasted elsewhere, with a button that copies it and says so. */
export function CopyField({ label, value }: { label: string; value: string }) {
  const [isCopied, setCopied] = useState(false)
  const id = useId()
  const copy = () => void navigator.clipboard.writeText(value).then(() => setCopied(true))
  return (
    <div>
      <label htmlFor={id} className="small second">
        {label}
      </label>
      <div className={styles.field}>
        <input id={id} className="mono" readOnly value={value} onFocus={({ currentTarget }) => currentTarget.select()} />
        <ActionIcon variant="subtle" color="gray" size={28} aria-label={`Copy ${label}`} onClick={copy}>
          {isCopied ? <IconCheck size={16} stroke={1.75} /> : <IconCopy size={16} stroke={1.75} />}
        </ActionIcon>
      </div>
      <span role="status" className="unseen">
        {isCopied && `${label} copied`}
      </span>
    </div>
  )
}
