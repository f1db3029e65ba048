/** The text of e-mails as programs save them (.eml; RFC 5322 and 2045 to 2047). */

/** A part of a mail: its headers by their names in lower case, and what follows them, a character per byte. */
interface Part {
  headers: Map<string, string>;
  body: string;
}

/** Parts that lie in parts, at most: deeper ones are no mail that people write. */
const DEEPEST = 20;

/** Bytes as characters 0 to 255, and back: a mail mixes encodings. */
function asCharacters(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
const asBytes = (characters: string) => Uint8Array.from(characters, (one) => one.charCodeAt(0) & 0xff);

/**
 * Who wrote what to whom, and the text, without attachments. Of a text that comes both plain and as HTML the plain one is taken; `fromHtml` makes text
 * of HTML that comes alone.
 */
export function mailText(bytes: Uint8Array, fromHtml: (html: string) => string): string {
  const mail = partOf(asCharacters(bytes));
  const heads = ['Subject', 'From', 'To', 'Date']
    .map((name) => [name, decodeWords(mail.headers.get(name.toLowerCase()) ?? '')])
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${name}: ${value}`);
  const body = textOf(mail, fromHtml, 0).trim();
  return [heads.join('\n'), body].filter((part) => part !== '').join('\n\n');
}

function partOf(source: string): Part {
  const gap = /\r?\n\r?\n/.exec(source);
  const end = source.startsWith('\n') || source.startsWith('\r\n') ? 0 : (gap?.index ?? source.length);
  const headers = new Map<string, string>();
  const lines = source
    .slice(0, end)
    .replace(/\r?\n[ \t]+/g, ' ')
    .split(/\r?\n/);
  for (const line of lines) {
    const [, name, value] = /^([!-9;-~]+)\s*:\s*(.*)$/.exec(line) ?? [];
    if (name && !headers.has(name.toLowerCase())) headers.set(name.toLowerCase(), value);
  }
  return { headers, body: source.slice(end).replace(/^(\r?\n){1,2}/, '') };
}

function textOf(part: Part, fromHtml: (html: string) => string, depth: number): string {
  const { headers, body } = part;
  const type = headers.get('content-type') ?? 'text/plain';
  const kind = type.split(';')[0].trim().toLowerCase();
  if (/^\s*attachment/i.test(headers.get('content-disposition') ?? '') || depth > DEEPEST) return '';
  if (kind.startsWith('multipart/')) {
    const parts = partsOf(body, parameter(type, 'boundary') ?? '').map(partOf);
    if (kind === 'multipart/alternative') return alternative(parts, fromHtml, depth);
    const texts = parts.map((one) => textOf(one, fromHtml, depth + 1).trim());
    return texts.filter((text) => text !== '').join('\n\n');
  }
  if (kind === 'message/rfc822') return mailText(asBytes(transferred(part)), fromHtml);
  if (kind !== 'text/plain' && kind !== 'text/html') return '';
  const text = decode(asBytes(transferred(part)), parameter(type, 'charset')).replace(/\r\n/g, '\n');
  return kind === 'text/html' ? fromHtml(text) : text;
}

/** The first of the ways in which the same is said that has text, plain before others. */
function alternative(parts: Part[], fromHtml: (html: string) => string, depth: number): string {
  const isPlain = ({ headers }: Part) => /^\s*text\/plain/i.test(headers.get('content-type') ?? 'text/plain');
  for (const part of [...parts.filter(isPlain), ...parts.filter((one) => !isPlain(one))]) {
    const text = textOf(part, fromHtml, depth + 1);
    if (text.trim() !== '') return text;
  }
  return '';
}

/** What stands between the lines of a boundary. */
function partsOf(body: string, boundary: string): string[] {
  const parts: string[] = [];
  let lines: string[] | undefined;
  for (const line of body.split(/\r?\n/)) {
    const mark = line.trimEnd();
    if (mark !== `--${boundary}` && mark !== `--${boundary}--`) {
      lines?.push(line);
      continue;
    }
    if (lines) parts.push(lines.join('\n'));
    lines = mark.endsWith(`${boundary}--`) ? undefined : [];
  }
  if (lines) parts.push(lines.join('\n')); // cut off
  return parts;
}

const parameter = (header: string, name: string): string | undefined => {
  const found = new RegExp(`;\\s*${name}\\s*=\\s*(?:"([^"]*)"|([^;\\s]+))`, 'i').exec(header);
  return found?.[1] ?? found?.[2];
};

/** The bytes of a part, as characters, as they were before they were made fit for mail. */
function transferred({ headers, body }: Part): string {
  const encoding = (headers.get('content-transfer-encoding') ?? '').trim().toLowerCase();
  if (encoding === 'base64') return fromBase64(body);
  return encoding === 'quoted-printable' ? fromQuoted(body.replace(/[ \t]*=[ \t]*\r?\n/g, '')) : body;
}

function fromBase64(text: string): string {
  const digits = text.replace(/[^A-Za-z0-9+/]/g, '');
  return atob(digits.slice(0, digits.length % 4 === 1 ? -1 : undefined));
}

const fromQuoted = (text: string): string =>
  text.replace(/=([0-9A-Fa-f]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));

/** Bytes in an encoding that may be unknown or not the one that is named. */
function decode(bytes: Uint8Array, charset = 'utf-8'): string {
  try {
    return new TextDecoder(charset, { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('windows-1252').decode(bytes);
  }
}

/** A header as people read it: `=?utf-8?Q?M=C3=A4rz?=` is März. */
function decodeWords(value: string): string {
  const text = decode(asBytes(value)); // raw bytes are UTF-8, if they are anything (RFC 6532)
  const joined = text.replace(/(=\?[^?]+\?[bq]\?[^?]*\?=)\s+(?==\?)/gi, '$1');
  return joined.replace(/=\?([^?*]+)(?:\*[^?]*)?\?([bq])\?([^?]*)\?=/gi, (_, charset, kind, word) => {
    const raw = kind.toLowerCase() === 'b' ? fromBase64(word) : fromQuoted(word.replaceAll('_', ' '));
    return decode(asBytes(raw), charset);
  });
}
