import { Command } from 'commander'
import { reviewsEffect } from './reviews/effect.ts'
import { allowHeld, listHeld, rejectHeld } from './reviews/held.ts'
import { listKept, reopenReview } from './reviews/kept.ts'
import { linkGroup, unlinkGroup } from './reviews/link.ts'
import { listReviews } from './reviews/list.ts'
import { membersOfReview } from './reviews/members.ts'
import { keepName, namesThatWait, renameExisting } from './reviews/names.ts'
import { reviewsPeople } from './reviews/people.ts'
import { planReview } from './reviews/plan.ts'
import { showReview } from './reviews/show.ts'

export const reviews = new Command('reviews')
  .description(
    'what pushed groups would change: {list|show|effect|people|members|plan|held|allow|reject|kept|reopen|names|rename-existing|keep-name|link|unlink}',
  )
  .addCommand(listReviews)
  .addCommand(showReview)
  .addCommand(reviewsEffect)
  .addCommand(reviewsPeople)
  .addCommand(membersOfReview)
  .addCommand(planReview)
  .addCommand(listHeld)
  .addCommand(allowHeld)
  .addCommand(rejectHeld)
  .addCommand(listKept)
  .addCommand(reopenReview)
  .addCommand(namesThatWait)
  .addCommand(renameExisting)
  .addCommand(keepName)
  .addCommand(linkGroup)
  .addCommand(unlinkGroup)
