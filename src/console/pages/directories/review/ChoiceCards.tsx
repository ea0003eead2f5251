import { Radio } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { type Choice, effectOf, type Review } from '../../../data/reviews.ts'
import { Gained, Lost } from '../../../parts/figures.tsx'
import { choiceWords, counted, number } from '../../../parts/words.ts'
import styles from './ChoiceCards.module.css'

interface Props {
  directory: string
  review: Review
  choice: Choice
  onChoose: (choice: Choice) => void
}

/** What can become of a group, each with its own figures. */
export function ChoiceCards({ directory, review: { group, existing, members, access }, choice, onChoose }: Props) {
  const selection = { mode: 'ids' as const, ids: [group.id] }
  const merged = useQuery(effectOf(directory, { selection, defaultChoice: 'merge' }))
  const here = existing?.memberCount ?? 0
  const losing = (count: number) => <span className="lost">{counted(count, 'person loses', 'people lose')} access</span>
  const cards: { value: keyof typeof choiceWords & Choice; figures: ReactNode; consequence: ReactNode; words: string }[] = [
    {
      value: 'overwrite',
      figures: (
        <>
          <Gained count={members.added} /> <Lost count={members.removed} /> members
        </>
      ),
      consequence: access.peopleLosing === 0 ? 'Nobody loses access' : losing(access.peopleLosing),
      words: `Becomes exactly what ${directory} pushed: ${counted(members.added + members.unchanged, 'member')}.`,
    },
    {
      value: 'merge',
      figures: (
        <>
          <Gained count={members.added} /> members
        </>
      ),
      consequence: merged.data?.access.peopleLosing
        ? losing(merged.data.access.peopleLosing)
        : `Nobody loses, ${number(members.removed)} kept`,
      words:
        members.removed === 0
          ? 'The same as overwrite: nobody would go.'
          : `The ${number(members.removed)} stay and can be dropped later, with a review.`,
    },
    {
      value: 'rename_existing',
      figures: (
        <>
          <b className="strong number">{number(here)}</b> keep their access
        </>
      ),
      consequence: 'Nobody loses or gains',
      words: 'Old group gets a new name. The pushed one starts with no access.',
    },
    {
      value: 'ignore',
      figures: (
        <>
          <b className="strong number">{number(here)}</b> stay as they are
        </>
      ),
      consequence: 'Nothing changes',
      words: 'Pushes are still recorded. You can review it again.',
    },
  ]
  return (
    <Radio.Group value={choice} onChange={(next) => onChoose(next as Choice)} aria-label="Choice" className={styles.group}>
      <div className={styles.cards}>
        {cards.map(({ value, figures, consequence, words }) => (
          <Radio.Card key={value} value={value} className={styles.card} aria-label={choiceWords[value]}>
            <span className={styles.title}>
              <Radio.Indicator size="sm" color="var(--accent)" iconColor="var(--on-accent)" /> {choiceWords[value]}
            </span>
            <span className={styles.figures}>{figures}</span>
            <span className={`${styles.consequence} small`}>{consequence}</span>
            <span className={`${styles.words} small grey`}>{words}</span>
          </Radio.Card>
        ))}
      </div>
    </Radio.Group>
  )
}
