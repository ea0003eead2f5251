import { useHotkeys } from '@mantine/hooks'
import { IconSearch } from '@tabler/icons-react'
import { lazy, Suspense, useState } from 'react'
import styles from './Palette.module.css'

// Not of the first page: it is loaded when it is first opened, and then opens itself.
const PaletteDialog = lazy(() => import('./PaletteDialog.tsx').then((file) => ({ default: file.PaletteDialog })))

/** ⌘K, and the button that says so. */
export function Palette({ org, places }: { org: string; places: { to: string; label: string }[] }) {
  const [opened, setOpened] = useState(0)
  const open = () => setOpened((times) => times + 1)
  useHotkeys([['mod+K', open]], [])
  return (
    <>
      <button type="button" className={styles.open} onClick={open}>
        <IconSearch size={15} stroke={1.75} aria-hidden />
        <span className={styles.words}>Go to group, person, page…</span>
        <kbd className={styles.key}>⌘K</kbd>
      </button>
      {opened > 0 && (
        <Suspense>
          <PaletteDialog key={opened} org={org} places={places} />
        </Suspense>
      )}
    </>
  )
}
