/**
 * The source text of each field of a JSON object, so that a value can be passed on as it is written: JSON.parse rounds 64-bit ids and
 * forgets how 1.0 and 1e400 were spelt. `json` must be an object that JSON.parse accepts; of fields of one name the last counts, as there.
 */
export function fieldSources(json: string): Map<string, string> {
  const fields = new Map<string, string>();
  const mark = /["{}[\],]/g;
  let depth = 0;
  /** Of the field whose value is being passed over. */
  let name: string | undefined;
  let from = 0;
  const endField = (to: number) => {
    // Within a line, a carriage return is white space; some readers would split the line there.
    if (name !== undefined) fields.set(name, json.slice(from, to).replaceAll('\r', ' ').trim());
    name = undefined;
  };
  for (let found = mark.exec(json); found; found = mark.exec(json)) {
    const at = found.index;
    const char = found[0];
    if (char === '{' || char === '[') depth++;
    else if (char === '"') {
      mark.lastIndex = stringEnd(json, at);
      if (depth === 1 && name === undefined) {
        name = JSON.parse(json.slice(at, mark.lastIndex)) as string;
        from = mark.lastIndex = json.indexOf(':', mark.lastIndex) + 1;
        if (from === 0) throw new Error(`not a JSON object: no value follows the name at character ${at + 1}.`);
      }
    } else {
      if (depth === 1) endField(at);
      if (char !== ',') depth--;
    }
  }
  if (depth !== 0) throw new Error('not a JSON object: its brackets do not match.');
  return fields;
}

/** The place after the string that begins at `start`. */
function stringEnd(json: string, start: number): number {
  for (let quote = json.indexOf('"', start + 1); quote >= 0; quote = json.indexOf('"', quote + 1)) {
    let before = quote;
    while (json[before - 1] === '\\') before--;
    if ((quote - before) % 2 === 0) return quote + 1;
  }
  throw new Error(`not a JSON object: the text at character ${start + 1} has no end.`);
}
