import { nameKey } from './name-key.ts'
import { Refusal } from './refusal.ts'

/** The longest name, in characters, as given and as compared. */
export const maxNameLength = 255
/** The longest of any other text, in characters. */
export const maxTextLength = 1024

// Rule 21: control, bidi and zero-width characters make two names look like one, or hide what they say.
const unseen = /[\p{Cc}\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2064\u2066-\u206f\ufeff]/u

// Of those, what no text has but by mistake: control characters, other than tab and line ends.
const control = /[^\P{Cc}\t\n\r]/u

/** Why a text cannot be a name, in words that follow its label («group …»); undefined if it can. */
export function whyNotName(text: string): string | undefined {
  if (nameKey(text) === '') return 'is empty'
  return whyNotLine(text, maxNameLength) ?? (lengthOf(nameKey(text)) > maxNameLength ? tooLong(maxNameLength) : undefined)
}

/** Why a text that people or things are found by cannot be kept: an e-mail, a name. In words that follow its label; undefined if it can. */
export const whyNotLine = (text: string, max = maxTextLength): string | undefined => whyNot(text, unseen, max)

/**
 * Why any other text cannot be kept, in words that follow its label; undefined if it can. Descriptions have several lines, and people's
 * names are written with joiners.
 */
export const whyNotText = (text: string, max = maxTextLength): string | undefined => whyNot(text, control, max)

function whyNot(text: string, unwanted: RegExp, max: number): string | undefined {
  if (!text.isWellFormed()) return 'holds half a character (a lone surrogate)'
  const found = unwanted.exec(text)
  if (found) return `holds a character that cannot be seen (${codePoint(found[0])})`
  return lengthOf(text) > max ? tooLong(max) : undefined
}

/**
 * A name from outside, trimmed.
 * @throws Refusal `invalid_value`
 */
export function checkedName(label: string, text: string): string {
  const why = whyNotName(text)
  if (why) throw new Refusal('invalid_value', `The ${label} ${why}.`, { field: label })
  return text.trim()
}

/**
 * Another text from outside, trimmed; null if it says nothing.
 * @throws Refusal `invalid_value`
 */
export function checkedText(label: string, text: string | null, max = maxTextLength, whyNotKept = whyNotText): string | null {
  const trimmed = text?.trim() ?? ''
  const why = whyNotKept(trimmed, max)
  if (why) throw new Refusal('invalid_value', `The ${label} ${why}.`, { field: label })
  return trimmed === '' ? null : trimmed
}

const tooLong = (max: number) => `is longer than ${max} characters`

// Counted in code points: a text of emoji is not twice as long as it looks.
function lengthOf(text: string): number {
  return text.length <= maxNameLength ? text.length : [...text].length
}

const codePoint = (character: string) => `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`
