/** The command line's parsers: a dump of a search index, and JSON lines. */
import { Readable } from 'node:stream';
import { fieldSources } from '../cli/field-sources';
import { LineError, parseRow, readLines } from '../cli/input';
import { dumpIndex, loadDump } from '../cli/passages/dump';
import type { Sql } from '../cli/passages/schema';
import { mutateBytes } from './mutate';
import type { Target } from './target';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A database that takes everything, and has the index of the seeds if it `isFull`. */
function fakeSql(isFull = false): Sql {
  const model = { name: 'org/model', dtype: 'f32', dim: 3 };
  const tables: Record<string, Record<string, unknown>[]> = {
    documents: [{ id: '5f3a0000-0000-0000-0000-000000000001', name: "it's.txt", text: 'a\\b\nc — 漢字' }],
    chunks: [
      {
        document: '5f3a0000-0000-0000-0000-000000000001',
        position: 0,
        start_offset: 0,
        end_offset: 5,
        tokens: 4,
        text: 'a\\b\nc',
        embedding: '[0.1,-2e-05,3]',
      },
    ],
    model: [model],
  };
  let isLoaded = isFull;
  return {
    async query<Row>(text: string) {
      let rows: unknown[] = [];
      if (text.includes('to_regclass')) rows = [{ found: isLoaded }];
      else if (/^SELECT name, dtype, dim/.test(text)) rows = [model];
      else if (isFull) rows = tables[/FROM passages\.(\w+)/.exec(text)?.[1] ?? ''] ?? [];
      if (text.startsWith('INSERT INTO passages.model')) isLoaded = true;
      return { rows: rows as Row[] };
    },
  };
}

async function dumpSeed(): Promise<Uint8Array> {
  let dump = '';
  for await (const part of dumpIndex(fakeSql(true))) dump += part;
  return encoder.encode(dump);
}

const ROWS = [
  '{"id": 9007199254740993, "text": "a \\"quoted\\" text", "tags": ["x", {"y": null}], "score": -1.50e+3}',
  '{"text": "\\u00e9\\ud83d\\ude00", "text": "twice", "nested": {"text": [[], {}]}}\r',
  '\ufeff{}',
  ' {"a":true ,"b":false,\t"c":0}',
];

export const CLI_TARGETS: Target[] = [
  {
    name: 'dump',
    extension: 'sql',
    seeds: [await dumpSeed()],
    mutate: mutateBytes,
    async run(bytes) {
      await loadDump(fakeSql(), decoder.decode(bytes));
    },
    isNamed: (error) =>
      error instanceof Error && /^(Line \d+ |This file is not an exported|The file is incomplete)/.test(error.message),
  },
  {
    name: 'lines',
    extension: 'jsonl',
    seeds: [encoder.encode(ROWS.join('\n'))],
    mutate: mutateBytes,
    async run(bytes) {
      for await (const line of readLines(Readable.from([Buffer.from(bytes)]))) {
        let row: ReturnType<typeof parseRow>;
        try {
          row = parseRow(line, 'in');
        } catch (error) {
          if (error instanceof LineError) continue;
          throw error;
        }
        const sources = fieldSources(row.json);
        for (const [name, value] of Object.entries(row.value)) {
          const source = sources.get(name) ?? 'missing';
          if (JSON.stringify(JSON.parse(source)) !== JSON.stringify(value)) throw new Error(`${name} is not ${source}`);
        }
      }
    },
  },
];
