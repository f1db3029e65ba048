/** Tables as input of a line job: each row becomes a JSON line with the names of the columns. */
import { createReadStream, type ReadStream } from 'node:fs';
import { PassThrough, Readable } from 'node:stream';
import papaparse from 'papaparse';
import { fileId, statOf } from '../files';
import { type Input, type Line, LineError, readLines } from '../input';

export const FORMATS = ['csv', 'tsv', 'jsonl'] as const;
export type Format = (typeof FORMATS)[number];

export interface TableOptions {
  /** Default: as the file's name ends. */
  format: Format | undefined;
  /** Without a header the columns are called 1, 2, …, and rows may have different numbers of them. */
  hasHeader: boolean;
  signal: AbortSignal;
}

/** A row's cells, before they have names. */
interface Cells {
  number: number;
  /** Offset in the file, roughly. */
  end: number;
  cells: string[];
}

/** Throws an Error if there is no such file, or if its format is not known. */
export function openTable(path: string, { format, hasHeader, signal }: TableOptions): Input {
  const id = fileId(path);
  if (id === undefined) throw new Error(`There is no file ${path}.`);
  const kind = format ?? FORMATS.find((name) => path.toLowerCase().endsWith(`.${name}`));
  if (!kind) throw new Error(`${path} ends in none of .${FORMATS.join(', .')}. Say what it is with --format.`);
  const stream = createReadStream(path, { signal, highWaterMark: 1 << 18 });
  const rows = { csv: csvRows, tsv: tsvRows, jsonl: undefined }[kind];
  const lines = rows ? asLines(rows(stream, path), path, hasHeader) : readLines(stream);
  return { name: path, size: Number(statOf(path)?.size), id, lines };
}

/** No quotes: GLUE's files have single ones in their texts. */
async function* tsvRows(stream: ReadStream, path: string): AsyncGenerator<Cells> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  for await (const { number, bytes, end } of readLines(stream)) {
    try {
      if (!bytes) throw new LineError(path, number, 'is too long for a line of a table.');
      yield { number, end, cells: decoder.decode(bytes).replace(/\r$/, '').split('\t') };
    } catch (cause) {
      throw cause instanceof LineError ? cause : new LineError(path, number, 'not valid UTF-8.', { cause });
    }
  }
}

/** RFC 4180. A row counts as one line, however many it has in the file. */
async function* csvRows(stream: ReadStream, path: string): AsyncGenerator<Cells> {
  const blocks = Readable.from(decoded(stream, path));
  const rows = new PassThrough({ objectMode: true, highWaterMark: 2 });
  let number = 0;
  papaparse.parse<string[]>(blocks, {
    skipEmptyLines: true,
    chunk({ data, errors }, parser) {
      const broken = errors.find(({ type }) => type === 'Quotes');
      if (broken) {
        rows.destroy(new Error(`${path} has a broken quote after row ${number}: ${broken.message}.`));
        parser.abort();
        return;
      }
      if (rows.write(data)) return;
      parser.pause();
      rows.once('drain', () => parser.resume());
    },
    complete: () => rows.end(),
    error: (error: Error) => rows.destroy(error),
  });
  try {
    for await (const block of rows as AsyncIterable<string[][]>) {
      for (const cells of block) yield { number: ++number, end: stream.bytesRead, cells };
    }
  } finally {
    blocks.destroy();
    stream.destroy();
  }
}

/** The parser would cut characters at the ends of blocks. */
async function* decoded(blocks: AsyncIterable<Buffer>, path: string): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const decode = (block?: Buffer) => {
    try {
      return decoder.decode(block, { stream: block !== undefined });
    } catch (cause) {
      throw new Error(`${path} is not valid UTF-8.`, { cause });
    }
  };
  for await (const block of blocks) yield decode(block);
  yield decode();
}

async function* asLines(rows: AsyncGenerator<Cells>, path: string, hasHeader: boolean): AsyncGenerator<Line> {
  let names: string[] | undefined;
  for await (const { number, end, cells } of rows) {
    if (hasHeader && !names) {
      names = cells.map((name) => name.trim());
      const twice = names.find((name, i) => names!.indexOf(name) !== i);
      if (twice !== undefined) throw new LineError(path, number, `the header has two columns '${twice}'.`);
      continue;
    }
    if (names && cells.length !== names.length) {
      throw new LineError(
        path,
        number,
        `has ${cells.length} columns, the header ${names.length} (${names.join(', ').slice(0, 100)}).`,
      );
    }
    const row = Object.fromEntries(cells.map((cell, i) => [names?.[i] ?? String(i + 1), cell]));
    yield { number, end, bytes: Buffer.from(JSON.stringify(row)) };
  }
}
