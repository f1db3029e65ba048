/**
 * Bytes as text: what a byte order mark says, else UTF-8; what is not UTF-8 is in `charset`, by default Windows' Western one.
 * Throws an Error for files that are no text at all.
 */
export function decodeText(name: string, bytes: Uint8Array, charset = 'windows-1252'): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  if (bytes.includes(0)) throw new Error(`${name} is not a text file, although its name says so.`);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder(charset).decode(bytes);
  }
}
