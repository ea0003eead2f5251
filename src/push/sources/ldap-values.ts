/**
 * A distinguished name in the form in which two are compared: names and values in lower case, no blanks around separators, escapes
 * resolved (RFC 4514 §2.4, §3). Values are compared without case, as those of names in directories are.
 */
export function dnKey(dn: string): string {
  const parts: string[] = []
  let part = ''
  for (let i = 0; i < dn.length; i++) {
    const char = dn[i] ?? ''
    if (char === '\\') {
      const hex = /^(?:\\[0-9a-f]{2})+/i.exec(dn.slice(i))?.[0]
      const plain = hex === undefined ? (dn[i + 1] ?? '') : Buffer.from(hex.replaceAll('\\', ''), 'hex').toString('utf8')
      // What had to be escaped stays told apart from what separates.
      part += plain.replace(/[,+=;\\]/g, (special) => `\\${special}`)
      i += hex === undefined ? 1 : hex.length - 1
    } else if (char === ',' || char === ';') {
      parts.push(part)
      part = ''
    } else part += char
  }
  parts.push(part)
  return parts
    .map((one) =>
      one
        .trim()
        .replace(/\s*=\s*/, '=')
        .replace(/\s+/g, ' ')
        .toLowerCase(),
    )
    .join(',')
}

/** A unique id: text as it is, Active Directory's 16 bytes as it is written ([MS-DTYP] 2.3.4). */
export function guidOf(value: unknown): string | undefined {
  const one = Array.isArray(value) ? value[0] : value
  if (typeof one === 'string') return one === '' ? undefined : one
  if (!Buffer.isBuffer(one) || one.length !== 16) return undefined
  const hex = [one.readUInt32LE(0).toString(16).padStart(8, '0'), one.readUInt16LE(4).toString(16).padStart(4, '0')]
  hex.push(one.readUInt16LE(6).toString(16).padStart(4, '0'), one.toString('hex', 8, 10), one.toString('hex', 10))
  return hex.join('-')
}

/** The last part of a security identifier, by which people name their primary group ([MS-DTYP] 2.4.2.2). */
export function ridOf(value: unknown): string | undefined {
  const one = Array.isArray(value) ? value[0] : value
  return Buffer.isBuffer(one) && one.length >= 12 ? String(one.readUInt32LE(one.length - 4)) : undefined
}
