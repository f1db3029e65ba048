/** Lists and objects in lists and objects. What reads a file may recurse, and JSON.parse takes seconds for a million levels. */
export const MOST_LEVELS = 100;

/** How many keys JSON has, and how deep it is nested, by its bytes. */
export function scanJson(json: Uint8Array): { keys: number; depth: number } {
  let keys = 0;
  let open = 0;
  let depth = 0;
  for (let i = 0; i < json.length; i++) {
    const byte = json[i];
    if (byte === 0x22) {
      for (i++; i < json.length && json[i] !== 0x22; i++) if (json[i] === 0x5c) i++; // a string, with escapes
    } else if (byte === 0x3a) keys++;
    else if (byte === 0x7b || byte === 0x5b) depth = Math.max(depth, ++open);
    else if (byte === 0x7d || byte === 0x5d) open--;
  }
  return { keys, depth };
}
