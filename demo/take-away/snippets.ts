// Lines of code that do what the page does, for other programs.
import type { Choice } from '../models/model-store';

/** A text as JavaScript, also in a comment: U+2028 and U+2029 end a line there. */
export const quoted = (text: string): string =>
  JSON.stringify(text).replace(/[\u2028\u2029]/g, (end) => `\\u${end.charCodeAt(0).toString(16)}`);

/** A text as one word of a POSIX shell. */
export const shellQuoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** Where other programs find a model: its Hub id, or the whole address of one that comes with the page; of a folder its name. */
export function modelAddress({ name, source }: Choice, page = globalThis.location?.href): string {
  if (typeof source !== 'string') return `./${name}`;
  return source.startsWith('./') && page ? new URL(source, page).href : source;
}

/** A program: imports, `model` loaded, then `body`. */
export function snippet(imports: string[], choice: Choice, body: string): string {
  const { dtype } = choice;
  const options = dtype ? `, { dtype: ${quoted(dtype)} }` : '';
  const address = modelAddress(choice);
  return [
    '// npm install modernbert-webgpu',
    "import { loadModel } from 'modernbert-webgpu';",
    ...imports,
    '',
    `const model = await loadModel(${quoted(address)}${options});${address.endsWith(choice.name) ? '' : ` // ${quoted(choice.name)}`}`,
    body.trim(),
    '',
  ].join('\n');
}

/** A command line that gives `rows` to a command of modernbert-webgpu-cli, one JSON object per line. */
export function commandLine(command: string, choice: Choice, rows: object[], options: string[] = []): string {
  const { dtype } = choice;
  const words = [command, modelAddress(choice), ...(dtype ? ['--dtype', dtype] : []), ...options];
  const line = words.map((word) => (/^[\w./:-]+$/.test(word) ? word : shellQuoted(word))).join(' ');
  return `npx modernbert-webgpu-cli ${line} <<'END'\n${rows.map((row) => JSON.stringify(row)).join('\n')}\nEND\n`;
}
