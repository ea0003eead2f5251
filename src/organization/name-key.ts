/**
 * The form in which names are compared: NFKC, upper case, lower case, NFKC again, blanks folded and trimmed.
 * Upper case first, because plain lower case is not folding: `Straße` and `STRASSE` are one name.
 */
export function nameKey(name: string): string {
  return name.normalize('NFKC').toUpperCase().toLowerCase().normalize('NFKC').replace(/\s+/gu, ' ').trim()
}
