const longestNormalized = 2_048

/**
 * The form in which names are compared: NFKC, upper case, lower case, NFKC again, blanks folded and trimmed.
 * Upper case first, because plain lower case is not folding: `Straße` and `STRASSE` are one name.
 */
export function nameKey(name: string): string {
  // NFKC takes time with the square of the length where a letter has thousands of accents; no name is that long, so none can match.
  if (name.length > longestNormalized) return name.toLowerCase()
  return name.normalize('NFKC').toUpperCase().toLowerCase().normalize('NFKC').replace(/\s+/gu, ' ').trim()
}
