/** Input as JSON lines: one object per line, streamed. */
import { createReadStream } from 'node:fs';
import { addAbortSignal, type Readable } from 'node:stream';
import { UsageError } from './command';
import { fileId, statOf } from './files';

/** Most bytes of a line: a file that is no JSON lines must not fill the memory. */
export const LINE_LIMIT = 64 << 20;

/** A non-blank line. */
export interface Line {
  /** From 1; blank lines count too. */
  number: number;
  /** Undefined for a line of more than LINE_LIMIT bytes. */
  bytes: Buffer | undefined;
  /** Offset of the end of this line, in bytes. */
  end: number;
}

export interface Input {
  /** For error messages. */
  name: string;
  /** Bytes; undefined for a pipe. */
  size: number | undefined;
  /** fileId of a file. */
  id: string | undefined;
  lines: AsyncGenerator<Line>;
}

/** Opens a file, or stdin for '-'. Throws a UsageError if there is no such file. */
export function openInput(path: string, signal: AbortSignal): Input {
  if (path === '-') {
    const lines = readLines(addAbortSignal(signal, process.stdin));
    return { name: 'stdin', size: undefined, id: fileId(process.stdin.fd), lines };
  }
  const found = statOf(path);
  if (!found || found.isDirectory()) throw new UsageError(`--input: no such file: ${path}.`);
  return {
    name: path,
    size: found.isFile() ? Number(found.size) : undefined,
    id: fileId(path),
    lines: readLines(createReadStream(path, { signal, highWaterMark: 1 << 18 })),
  };
}

const NEWLINE = 10;
const BYTE_ORDER_MARK = Buffer.from('\uFEFF');

/** Splits at \n only: node:readline also splits at U+2028, which JSON strings may contain. Holds at most `limit` bytes of a line. */
export async function* readLines(stream: Readable, limit = LINE_LIMIT): AsyncGenerator<Line> {
  let parts: Buffer[] = [];
  /** Of the line so far. */
  let length = 0;
  let number = 0;
  let end = 0;
  const add = (part: Buffer) => {
    length += part.length;
    end += part.length;
    if (length > limit) parts = [];
    else parts.push(part);
  };
  const take = (): Line | undefined => {
    number++;
    let bytes = length > limit ? undefined : Buffer.concat(parts);
    if (number === 1 && bytes?.subarray(0, 3).equals(BYTE_ORDER_MARK)) bytes = bytes.subarray(3);
    parts = [];
    length = 0;
    const isBlank = bytes?.every((byte) => byte === 0x20 || (byte >= 9 && byte <= 13));
    return isBlank ? undefined : { number, bytes, end };
  };
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    let at = 0;
    for (let stop = chunk.indexOf(NEWLINE); stop >= 0; stop = chunk.indexOf(NEWLINE, at)) {
      add(chunk.subarray(at, stop));
      end++;
      at = stop + 1;
      const line = take();
      if (line) yield line;
    }
    add(chunk.subarray(at));
  }
  const line = take();
  if (line) yield line;
}

/** Something is wrong with the content of one line: such a line can be skipped. */
export class LineError extends Error {
  override name = 'LineError';
  constructor(
    input: string,
    /** The number of the line. */
    readonly line: number,
    /** The message without the place. */
    readonly reason: string,
    options?: ErrorOptions,
  ) {
    super(`${input}, line ${line}: ${reason}`, options);
  }
}

/** A parsed line. */
export interface Row {
  /** The line's text. */
  json: string;
  value: Record<string, unknown>;
  error(reason: string): LineError;
}

/** Throws a LineError unless the line is a JSON object. */
export function parseRow(line: Line, input: string): Row {
  const error = (reason: string, cause?: unknown) => new LineError(input, line.number, reason, { cause });
  if (!line.bytes) {
    throw error(
      `longer than ${LINE_LIMIT >> 20} MiB, the limit of a line. The input must be JSON lines, an object per line.`,
    );
  }
  let json: string;
  try {
    json = new TextDecoder('utf-8', { fatal: true }).decode(line.bytes);
  } catch (cause) {
    throw error('not valid UTF-8.', cause);
  }
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw error(`not valid JSON (${(cause as Error).message}).`, cause);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return { json, value: value as Record<string, unknown>, error };
  }
  throw error(`expected an object such as {"text": "…"}, got ${kindOf(value)}.`);
}

/** Throws a LineError that names the fields there are. */
export const fieldOf = ({ value, error }: Row, name: string): unknown => {
  if (Object.hasOwn(value, name)) return value[name];
  const names = Object.keys(value).join(', ').slice(0, 100);
  throw error(`missing field '${name}'; the fields are ${names || 'none'}.`);
};

export function textField(row: Row, name: string): string {
  const text = fieldOf(row, name);
  if (typeof text !== 'string') throw row.error(`field '${name}' must be a string, got ${kindOf(text)}.`);
  if (text === '') throw row.error(`field '${name}' is empty.`);
  return text;
}

export function textListField(row: Row, name: string): string[] {
  const list = fieldOf(row, name);
  if (Array.isArray(list) && list.every((text) => typeof text === 'string')) return list;
  throw row.error(`field '${name}' must be an array of strings.`);
}

const kindOf = (value: unknown): string =>
  value === null ? 'null' : Array.isArray(value) ? 'an array' : `a ${typeof value}`;
