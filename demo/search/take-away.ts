// What was searched and found, for other programs.
import type { SearchMode } from '../../src/search';
import type { Choice } from '../models/model-store';
import { csvFile, jsonFile } from '../take-away/save-file';
import { commandLine, quoted, snippet } from '../take-away/snippets';
import type { Exported, Snippets } from '../take-away/take-away';
import type { Judged } from './judge';
import { passageText } from './passages';

/** The name of an exported index. */
export const INDEX_FILE = 'search-index.safetensors';

/** Lines that search the exported index for `query`. */
export function searchCode(choice: Choice, query: string, mode: SearchMode): Snippets {
  const text = query || 'What are you looking for?';
  return {
    typescript: snippet(
      ["import { importIndex } from 'modernbert-webgpu/search';"],
      choice,
      `
const file = await (await fetch('./${INDEX_FILE}')).blob(); // Export, Index
const index = await importIndex(model, file);
const hits = await index.search(${quoted(text)}, { mode: ${quoted(mode)}, topK: 10 });
for (const { metadata, text, passage } of hits) console.log(metadata.file, metadata.place, text.slice(passage?.start, passage?.end));`,
    ),
    shell: commandLine('search', choice, [{ text }], ['--index', INDEX_FILE, '--mode', mode]),
  };
}

/** What was found, best first, unlikely ones too: `relevance` says which these are. */
export const passageRows = (found: Judged[]) =>
  found.map(({ hit, judgement }, i) => ({
    rank: i + 1,
    file: hit.metadata.file,
    place: hit.metadata.place,
    score: hit.score,
    cosine: hit.similarity,
    relevance: judgement ?? '',
    text: passageText(hit).trim(),
  }));

export const hitFiles = (found: Judged[]): Exported[] => [
  { label: 'Passages as JSON', name: 'passages.json', make: () => jsonFile(passageRows(found)) },
  { label: 'Passages as CSV', name: 'passages.csv', make: () => csvFile(passageRows(found)) },
];
