/** Input as JSON lines: one object per line, streamed. */
import { createReadStream, statSync } from 'node:fs';
import { addAbortSignal, type Readable } from 'node:stream';
import { UsageError } from './command';

/** A non-blank line. */
export interface Line {
  /** From 1; blank lines count too. */
  number: number;
  bytes: Buffer;
  /** Offset of the end of this line, in bytes. */
  end: number;
}

export interface Input {
  /** For error messages. */
  name: string;
  /** Bytes; undefined for a pipe. */
  size: number | undefined;
  lines: AsyncGenerator<Line>;
}

/** Opens a file, or stdin for '-'. Throws a UsageError if there is no such file. */
export function openInput(path: string, signal: AbortSignal): Input {
  if (path === '-') return { name: 'stdin', size: undefined, lines: readLines(addAbortSignal(signal, process.stdin)) };
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found || found.isDirectory()) throw new UsageError(`--input: no such file: ${path}.`);
  return {
    name: path,
    size: found.isFile() ? found.size : undefined,
    lines: readLines(createReadStream(path, { signal, highWaterMark: 1 << 18 })),
  };
}

const NEWLINE = 10;

/** Splits at \n only: node:readline also splits at U+2028, which JSON strings may contain. */
async function* readLines(stream: Readable): AsyncGenerator<Line> {
  let parts: Buffer[] = [];
  let number = 0;
  let end = 0;
  const take = (last: Buffer): Line => {
    const line = { number: ++number, bytes: Buffer.concat([...parts, last]), end };
    parts = [];
    return line;
  };
  const isBlank = ({ bytes }: Line) => bytes.every((byte) => byte === 0x20 || (byte >= 9 && byte <= 13));
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    let at = 0;
    for (let stop = chunk.indexOf(NEWLINE); stop >= 0; stop = chunk.indexOf(NEWLINE, at)) {
      end += stop + 1 - at;
      const line = take(chunk.subarray(at, stop));
      at = stop + 1;
      if (!isBlank(line)) yield line;
    }
    end += chunk.length - at;
    if (at < chunk.length) parts.push(chunk.subarray(at));
  }
  const line = take(Buffer.alloc(0));
  if (!isBlank(line)) yield line;
}

/** A parsed line. */
export interface Row {
  /** Line number. */
  line: number;
  value: Record<string, unknown>;
  /** An error whose message names the line. */
  error(what: string): Error;
}

/** Throws an Error that names the line unless it is a JSON object. */
export function parseRow({ number, bytes }: Line, input: string): Row {
  const error = (what: string) => new Error(`${input}, line ${number}: ${what}`);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw error(`not valid JSON (${(cause as Error).message}).`);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return { line: number, value: value as Record<string, unknown>, error };
  }
  throw error(`expected an object such as {"text": "…"}, got ${kindOf(value)}.`);
}

export function textField({ value, error }: Row, name: string): string {
  const text = value[name];
  if (typeof text === 'string') return text;
  if (text !== undefined) throw error(`field '${name}' must be a string, got ${kindOf(text)}.`);
  throw error(`missing field '${name}'; the fields are ${Object.keys(value).join(', ') || 'none'}.`);
}

export function textListField(row: Row, name: string): string[] {
  const list = row.value[name];
  if (Array.isArray(list) && list.every((text) => typeof text === 'string')) return list;
  if (list === undefined) textField(row, name);
  throw row.error(`field '${name}' must be an array of strings.`);
}

const kindOf = (value: unknown): string =>
  value === null ? 'null' : Array.isArray(value) ? 'an array' : `a ${typeof value}`;
