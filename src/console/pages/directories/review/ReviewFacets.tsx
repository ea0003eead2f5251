import { IconX } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { facets, type ReviewFilter } from '../../../data/reviews.ts'
import { number, warningWords } from '../../../parts/words.ts'
import styles from './ReviewFacets.module.css'

interface Props {
  directory: string
  filter: ReviewFilter
  onFilter: (change: Partial<Record<keyof ReviewFilter, string | undefined>>) => void
}

/** What the list can be narrowed by, each with how many it would leave, the other filters kept. */
export function ReviewFacets({ directory, filter, onFilter }: Props) {
  const { data } = useQuery(facets(directory, filter))
  if (!data) return null
  const parts: [keyof ReviewFilter, string, [value: string, label: string, count: number][]][] = [
    [
      'effect',
      'Effect',
      [
        ['takes', 'Takes', data.effect.takes],
        ['gives', 'Gives', data.effect.gives],
        ['none', 'None', data.effect.none],
      ],
    ],
    [
      'members',
      'Members',
      [
        ['none', 'No change', data.members.none],
        ['additions', 'Only additions', data.members.additions],
        ['removals', 'Removals', data.members.removals],
      ],
    ],
    ['site', 'Site', data.sites.slice(0, 8).map(({ site, groups }) => [site, site, groups])],
    ['role', 'Role taken', data.roles.slice(0, 8).map(({ role, groups }) => [role, role, groups])],
    [
      'warning',
      'Warnings',
      Object.entries(data.warning)
        .filter(([code, count]) => count > 0 || ['left_with_nothing', 'last_admin', 'guard_passed'].includes(code))
        .map(([code, count]) => [code, warningWords[code]?.[2] ?? code, count]),
    ],
    [
      'viewed',
      'Viewed',
      [
        ['false', 'Not viewed', data.viewed.no],
        ['true', 'Viewed', data.viewed.yes],
      ],
    ],
  ]
  return (
    <div className={styles.facets}>
      {parts
        .filter(([, , values]) => values.length > 0)
        .map(([part, title, values]) => (
          <section key={part}>
            <h2>{title}</h2>
            <ul>
              {values.map(([value, label, count]) => {
                const isOn = String(filter[part] ?? '') === value
                return (
                  <li key={value}>
                    <button
                      type="button"
                      aria-pressed={isOn}
                      disabled={count === 0 && !isOn}
                      onClick={() => onFilter({ [part]: isOn ? undefined : value })}
                    >
                      <bdi className="cut" title={label}>
                        {label}
                      </bdi>
                      <span className="number">{number(count)}</span>
                      {isOn && <IconX size={12} aria-hidden />}
                    </button>
                  </li>
                )
              })}
            </ul>
          </section>
        ))}
    </div>
  )
}
