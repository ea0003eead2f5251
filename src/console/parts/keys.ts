import { useEffect, useRef } from 'react'

const offKey = 'muster.keys-off'
/** Keys of one letter can be switched off (WCAG 2.1.4). */
export const keysAreOn = (): boolean => localStorage.getItem(offKey) === null
export const switchKeys = (on: boolean): void => (on ? localStorage.removeItem(offKey) : localStorage.setItem(offKey, '1'))

const isTyping = (element: Element | null): boolean => element?.closest('input, textarea, select, [contenteditable]') !== null

let before: { key: string; at: number } | undefined

/** Keys of one letter, or two after each other (`g r`): dead while somebody types, in dialogs, and with ⌘, Ctrl, Alt. */
export function useKeys(keys: Record<string, () => void>): void {
  const latest = useRef(keys)
  latest.current = keys
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.metaKey || event.ctrlKey || event.altKey || event.defaultPrevented || !keysAreOn()) return
      const ticks = event.target instanceof HTMLInputElement && event.target.type === 'checkbox'
      if (isTyping(document.activeElement) && !ticks) return
      if (document.querySelector('[role="dialog"]')) return
      const pair = before && event.timeStamp - before.at < 1_000 ? `${before.key} ${event.key}` : undefined
      const act = (pair && latest.current[pair]) || latest.current[event.key]
      if (event.key === 'g') before = { key: 'g', at: event.timeStamp }
      if (!act) return
      event.preventDefault()
      act()
    }
    window.addEventListener('keydown', onKey)
    return () => window.removeEventListener('keydown', onKey)
  }, [])
}
