/** A folder in BEIR's layout: corpus.jsonl, queries.jsonl and qrels/SPLIT.tsv. The corpus stays on the disk: of it, only ids and places are held. */
import { createReadStream, readdirSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { fileId, statOf } from '../files';
import { type Line, LineError, parseRow, type Row, readLines } from '../input';
import type { Judgements } from './retrieval-metrics';

export interface Query {
  id: string;
  text: string;
}

/** The texts that there are, in the order of the file. */
export interface Corpus {
  ids: string[];
  /** Documents without a title or text, which nothing can find. */
  empty: number;
  /** The texts from document `from` on. */
  texts(from: number, signal: AbortSignal): AsyncGenerator<string>;
  /** Reads one from the disk. */
  text(document: number): Promise<string>;
  close(): Promise<void>;
}

export interface RetrievalData {
  queries: Query[];
  /** Of each query. */
  judged: Map<string, Judgements>;
  corpus: Corpus;
  /** What the judgements name and the files lack. */
  missing: { queries: number; documents: number };
}

export interface FolderOptions {
  split: string;
  /** Judgements may name documents and queries that are not there. */
  allowMissing: boolean;
  signal: AbortSignal;
}

/** The files of a folder. Throws an Error that names what is missing. */
export function filesOf(folder: string, split: string): { corpus: string; queries: string; qrels: string } {
  const files = {
    corpus: join(folder, 'corpus.jsonl'),
    queries: join(folder, 'queries.jsonl'),
    qrels: join(folder, 'qrels', `${split}.tsv`),
  };
  for (const [what, path] of Object.entries(files)) {
    if (fileId(path) !== undefined) continue;
    const splits = what === 'qrels' && statOf(join(folder, 'qrels'))?.isDirectory() ? splitsOf(folder) : [];
    const hint = splits.length > 0 ? ` The splits there are: ${splits.join(', ')}; choose one with --split.` : '';
    throw new Error(
      `There is no file ${path}. A folder in BEIR's layout has corpus.jsonl, queries.jsonl and qrels/SPLIT.tsv.${hint}`,
    );
  }
  return files;
}

const splitsOf = (folder: string): string[] =>
  readdirSync(join(folder, 'qrels'))
    .filter((name) => name.endsWith('.tsv'))
    .map((name) => name.slice(0, -4))
    .sort();

/** Reads and checks everything. Throws a LineError for a wrong line, an Error for judgements that do not fit the other files. */
export async function openFolder(folder: string, options: FolderOptions): Promise<RetrievalData> {
  const { signal, allowMissing } = options;
  const files = filesOf(folder, options.split);
  const judged = await readJudgements(files.qrels, signal);
  const queries = await readQueries(files.queries, judged, signal);
  const unknown = [...judged.keys()].filter((id) => !queries.has(id));
  checkKnown({ what: 'queries', file: files.queries, of: judged.size, unknown, allowMissing, qrels: files.qrels });
  for (const id of unknown) judged.delete(id);

  const corpus = await openCorpus(files.corpus, signal);
  try {
    const named = new Set([...judged.values()].flatMap((judgements) => [...judgements.keys()]));
    const lost = [...named].filter((id) => !corpus.has(id));
    checkKnown({
      what: 'documents',
      file: files.corpus,
      of: named.size,
      unknown: lost,
      allowMissing,
      qrels: files.qrels,
    });
    const missing = { queries: unknown.length, documents: lost.length };
    return { queries: [...judged.keys()].map((id) => ({ id, text: queries.get(id)! })), judged, corpus, missing };
  } catch (error) {
    await corpus.close();
    throw error;
  }
}

interface Known {
  what: string;
  file: string;
  qrels: string;
  unknown: string[];
  /** Ids that the judgements name. */
  of: number;
  allowMissing: boolean;
}

function checkKnown({ what, file, qrels, unknown, of, allowMissing }: Known): void {
  if (unknown.length === 0) return;
  const named = `${what} that ${file} lacks, such as '${unknown[0].slice(0, 100)}'`;
  if (unknown.length === of) {
    throw new Error(`${qrels} names only ${named}. Do these files belong together?`);
  }
  if (allowMissing) return;
  const then = what === 'queries' ? 'leaves them out' : 'counts them as not found';
  throw new Error(`${qrels} names ${unknown.length} of ${of} ${named}. --allow-missing ${then}.`);
}

const HEADER = 'query-id<TAB>corpus-id<TAB>score';

/** The grades by query. Of two for one document, the last counts. */
async function readJudgements(path: string, signal: AbortSignal): Promise<Map<string, Map<string, number>>> {
  const judged = new Map<string, Map<string, number>>();
  for await (const line of linesOf(path, signal)) {
    const cells = (line.bytes?.toString('utf8') ?? '').replace(/\r$/, '').split('\t');
    const isGrade = /^\s*[+-]?\d+\s*$/.test(cells[2] ?? '');
    if (cells.length !== 3) {
      throw new LineError(path, line.number, `has ${cells.length} columns; the three of BEIR are ${HEADER}.`);
    }
    if (line.number === 1) {
      if (!isGrade) continue;
      throw new LineError(path, 1, `must be the header ${HEADER}, it is '${cells.join(' ').slice(0, 100)}'.`);
    }
    if (!isGrade) {
      throw new LineError(path, line.number, `the grade must be an integer, it is '${cells[2].slice(0, 100)}'.`);
    }
    const grades = judged.get(cells[0]) ?? new Map<string, number>();
    judged.set(cells[0], grades.set(cells[1], Number(cells[2])));
  }
  if (judged.size === 0) throw new Error(`${path} has no judgements.`);
  return judged;
}

/** The texts of the judged queries. */
async function readQueries(path: string, judged: { has(id: string): boolean }, signal: AbortSignal) {
  const queries = new Map<string, string>();
  for await (const line of linesOf(path, signal)) {
    const row = parseRow(line, path);
    const id = idOf(row);
    if (!judged.has(id)) continue;
    if (queries.has(id)) throw row.error(`a second query with the _id '${id}'.`);
    const text = stringOf(row, 'text').trim();
    if (text === '') throw row.error(`field 'text' of query '${id}' is empty.`);
    queries.set(id, text);
  }
  return queries;
}

async function openCorpus(path: string, signal: AbortSignal): Promise<Corpus & { has(id: string): boolean }> {
  const ids: string[] = [];
  /** Where the lines of `ids` begin and end. */
  const places: number[] = [];
  const known = new Set<string>();
  let end = 0;
  for await (const line of linesOf(path, signal)) {
    const row = parseRow(line, path);
    const id = idOf(row);
    if (known.has(id)) throw row.error(`a second document with the _id '${id}'.`);
    known.add(id);
    if (documentText(row) !== '') {
      ids.push(id);
      places.push(end, line.end);
    }
    end = line.end;
  }
  if (ids.length === 0) throw new Error(`${path} has no document with a text.`);
  const file: FileHandle = await open(path, 'r');
  return {
    ids,
    empty: known.size - ids.length,
    has: (id) => known.has(id),
    async *texts(from, signal) {
      let at = 0;
      for await (const line of linesOf(path, signal)) {
        if (line.end !== places[2 * at + 1]) continue; // no text
        if (at++ >= from) yield documentText(parseRow(line, path));
      }
    },
    async text(document) {
      const [start, end] = [places[2 * document], places[2 * document + 1]];
      const bytes = Buffer.alloc(end - start);
      await file.read(bytes, 0, bytes.length, start);
      return documentText(parseRow({ number: document + 1, bytes, end }, path));
    },
    close: () => file.close(),
  };
}

/** As BEIR joins them. */
const documentText = (row: Row): string => `${stringOf(row, 'title', '')} ${stringOf(row, 'text')}`.trim();

function idOf(row: Row): string {
  const id = row.value._id;
  if (typeof id === 'string' || typeof id === 'number') return String(id);
  throw row.error(`field '_id' must be a string; the fields are ${Object.keys(row.value).join(', ').slice(0, 100)}.`);
}

/** `instead`: for a field that is not there. */
function stringOf(row: Row, name: string, instead?: string): string {
  const value = row.value[name] ?? instead;
  if (typeof value === 'string') return value;
  const fields = Object.keys(row.value).join(', ').slice(0, 100);
  throw row.error(`field '${name}' must be a string; the fields are ${fields}.`);
}

const linesOf = (path: string, signal: AbortSignal): AsyncGenerator<Line> =>
  readLines(createReadStream(path, { signal, highWaterMark: 1 << 18 }));
