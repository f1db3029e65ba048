import type { SparseEmbeddings, SparseOptions, SparseRow } from '../api/embeddings';
import { CALL_OPTIONS, type OptionNames } from '../api/options';
import { readSparse, sparseEmbedding, USUAL_ENTRIES } from '../model/heads/sparse';
import { sparseRows } from '../sparse';
import type { Call } from './call';
import { chainOf, wrongOutput } from './chain-of';
import { checkTopK, encode, type Parts } from './common';
import { PROMPT_OPTIONS, promptOf } from './prompts';

const OPTIONS: OptionNames<SparseOptions> = { ...CALL_OPTIONS, ...PROMPT_OPTIONS, kind: true, topK: true };

export const embedSparse: Call = { options: OPTIONS, run: embedTexts };

async function embedTexts(
  parts: Parts,
  texts: string | string[],
  options: SparseOptions = {},
): Promise<SparseEmbeddings> {
  const { sentence, submit, config } = parts;
  const { signal, onProgress } = options;
  const chain = chainOf(options.kind, parts);
  if (sentence.output !== 'sparse') throw wrongOutput('embedSparse needs a sparse (SPLADE) checkpoint', sentence);
  checkTopK(options.topK);
  const size = config.vocab_size;
  const limit = options.topK ?? sentence.max_active_dims;
  const list = typeof texts === 'string' ? [texts] : texts;

  const rows: SparseRow[] = [];
  /** Texts with more weights than there was room for, and how many. */
  let crowded: { i: number; nonzero: number }[] = [];
  const wantedOf = (i: number, room: number) => ({
    head: sparseEmbedding(chain, Math.min(room, size)),
    deliver(data: Float32Array) {
      const { nonzero, ids, weights } = readSparse(data);
      rows[i] = { ids, weights };
      if (limit === undefined && nonzero > ids.length) crowded.push({ i, nonzero });
    },
  });
  const itemOf = (_: unknown, i: number) => ({ wanted: [wantedOf(i, limit ?? USUAL_ENTRIES)] });
  const prompt = promptOf(options, parts);
  const items = await encode(parts, list, options, itemOf, { prompt, strips: sentence.strips });
  await submit(items, { signal, onProgress });
  while (crowded.length > 0) {
    const again = crowded.map(({ i, nonzero }) => ({ ...items[i], wanted: [wantedOf(i, powerOfTwo(nonzero))] }));
    crowded = [];
    await submit(again, { signal });
  }
  return sparseRows(rows, size, parts.spaces.of({ pooling: 'sparse', dim: size }));
}

/** Few sizes, and so few heads. */
const powerOfTwo = (least: number): number => 2 ** Math.ceil(Math.log2(least));
