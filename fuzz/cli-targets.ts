/** The command line's parser of JSON lines. */
import { Readable } from 'node:stream';
import { fieldSources } from '../cli/field-sources';
import { LineError, parseRow, readLines } from '../cli/input';
import { mutateBytes } from './mutate';
import type { Target } from './target';

const encoder = new TextEncoder();

const ROWS = [
  '{"id": 9007199254740993, "text": "a \\"quoted\\" text", "tags": ["x", {"y": null}], "score": -1.50e+3}',
  '{"text": "\\u00e9\\ud83d\\ude00", "text": "twice", "nested": {"text": [[], {}]}}\r',
  '\ufeff{}',
  ' {"a":true ,"b":false,\t"c":0}',
];

export const CLI_TARGETS: Target[] = [
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
