import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Model } from 'modernbert-webgpu/node';
import { importIndex, type SearchIndex, type SearchMode } from 'modernbert-webgpu/search';
import { UsageError } from '../command';
import { textCommand } from '../line-command';

const MODES: readonly SearchMode[] = ['hybrid', 'vectors', 'words'];

export const search = textCommand({
  summary: 'Find passages in an index file, which a page or createIndex exported.',
  details:
    'MODEL is the one that made the index. Reads {"text": "…"}, writes {"line": 1, "id": …, "hits": [{"id", "score", "similarity", "metadata",\n"passage"}]}, best first; passage is the text that was found.',
  options: {
    index: { value: 'FILE', help: 'the index; required' },
    mode: { value: 'MODE', help: `${MODES.join(', ')} (hybrid)` },
    'top-k': { value: 'N', help: 'number of documents to write (10)' },
  },
  job(values) {
    const file = values.text('index');
    if (!file) throw new UsageError('--index is required: the file that was exported.');
    if (!existsSync(file)) throw new UsageError(`There is no file ${file}.`);
    const mode = values.choice('mode', MODES);
    const topK = values.count('top-k');
    let opened: Promise<SearchIndex> | undefined;
    const open = async (model: Model) => importIndex(model, new Blob([await readFile(file)]));
    return {
      writes: ['hits'],
      async run(model, texts, { signal }) {
        opened ??= open(model);
        const index = await opened;
        return Promise.all(
          texts.map(async (text) => ({
            hits: (await index.search(text, { mode, topK, signal })).map(
              ({ id, score, similarity, metadata, text, passage }) => ({
                id,
                score,
                similarity,
                metadata,
                passage: text.slice(passage?.start, passage?.end),
              }),
            ),
          })),
        );
      },
    };
  },
});
