import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PREPARED_FILE, type Prepared, realCheckpoints } from '../../tools/real/prepare.mjs';
import type { Kind } from '../api/embeddings';
import type { Dtype, Model } from '../api/types';
import { rowCosines } from '../model/fixtures/golden';
import { similarity, sparseSimilarity } from '../node';
import { loadTestModel, withModel } from '../session/fixtures';
import { type ReferenceCall, type ReferenceCase, RUNS } from './calls';

/** Real checkpoints (tools/real) compute what sentence-transformers computes from them; `npm run test:real` fetches them. */

const prepared = JSON.parse(readFileSync(PREPARED_FILE, 'utf8')) as Record<string, Prepared>;

/** By language: a query, a text that is related to it and one that is not. */
const SENSE = JSON.parse(
  readFileSync(fileURLToPath(new URL('../../tools/real/sense.json', import.meta.url)), 'utf8'),
) as Record<string, [query: string, related: string, unrelated: string][]>;

/**
 * The mean cosine of a text's embedding with that in f32, and the least of any text. Of the sparse model in q8 one text is at 0.9987: Chinese, of
 * which that model of English gives 17 weights. All others are above 0.999.
 */
const SMALLER: [Dtype, { mean: number; least: number; leastSparse: number }][] = [
  ['f16', { mean: 0.9999, least: 0.9999, leastSparse: 0.9999 }],
  ['q8', { mean: 0.999, least: 0.999, leastSparse: 0.998 }],
];

describe.each(realCheckpoints().map(({ name }) => name))('%s', (name) => {
  const found = prepared[name];
  if ('notTested' in found) {
    it('is tested', ({ skip }) => skip(`not fetched: ${name} was not tested (${found.notTested})`));
    return;
  }
  const { calls } = JSON.parse(readFileSync(join(found.folder, 'expected.json'), 'utf8')) as ReferenceCase;
  const embeddings = calls.filter(({ call }) => call !== 'tokenize');
  const isSparse = embeddings[0].call === 'embedSparse';

  describe('in f32', () => {
    let model: Model;
    beforeAll(async () => {
      model = await loadTestModel(found.folder, { dtype: 'f32', arithmetic: 'f32' });
    });
    afterAll(() => model?.dispose());

    it('has the ids and embeddings of 50 texts', async () => {
      expect(embeddings.flatMap(({ texts = [] }) => texts)).toHaveLength(50);
      for (const call of calls) await RUNS[call.call](model, call);
    });

    it.each(name.startsWith('multilingual') ? Object.keys(SENSE) : ['en'])(
      'puts related texts above unrelated ones (%s)',
      async (language) => {
        const triples = SENSE[language];
        expect(triples).toHaveLength(40);
        const [query, related, unrelated] = [0, 1, 2].map((part) => triples.map((triple) => triple[part]));
        const near = await pairScores(model, isSparse, query, related);
        const far = await pairScores(model, isSparse, query, unrelated);
        const wrong = query.filter((_, i) => !(near[i] > far[i]));
        expect(wrong).toEqual([]);
      },
    );
  });

  it.each(SMALLER)('in %s: the directions of embeddings', async (dtype, { mean, least, leastSparse }) => {
    await withModel(found.folder, { dtype, arithmetic: 'f32' }, async (model) => {
      const cosines: number[] = [];
      for (const call of embeddings) cosines.push(...(await cosinesOf(model, call)));
      const [average, lowest] = [cosines.reduce((sum, x) => sum + x, 0) / cosines.length, Math.min(...cosines)];
      console.log(`${name} in ${dtype}: mean cosine ${average.toFixed(6)}, least ${lowest.toFixed(6)}`);
      expect(cosines).toHaveLength(50);
      expect(average).toBeGreaterThanOrEqual(mean);
      expect(lowest).toBeGreaterThanOrEqual(isSparse ? leastSparse : least);
    });
  });
});

/** The similarity of every query with the document of the same index. */
async function pairScores(model: Model, isSparse: boolean, queries: string[], documents: string[]): Promise<number[]> {
  const [query, document]: Kind[] = ['query', 'document'];
  const scores = isSparse
    ? sparseSimilarity(
        await model.embedSparse(queries, { kind: query }),
        await model.embedSparse(documents, { kind: document }),
        'dot',
      )
    : similarity(await model.embed(queries, { kind: query }), await model.embed(documents, { kind: document }));
  return queries.map((_, i) => scores[i][i]);
}

/** The cosine of each text's embedding with what sentence-transformers computes; NaN for one of zeros. */
async function cosinesOf(model: Model, { call, texts = [], options, values }: ReferenceCall): Promise<number[]> {
  const input = { truncate: true, ...options };
  if (call === 'embed') {
    const { data, dim } = await model.embed(texts as string[], input);
    return rowCosines(data, Float32Array.from((values as number[][]).flat()), dim);
  }
  const found = await model.embedSparse(texts as string[], input);
  const square = (numbers: Iterable<number>) => [...numbers].reduce((sum, x) => sum + x * x, 0);
  return (values as Record<string, number>[]).map((want, i) => {
    const { ids, weights } = found.row(i);
    const dot = [...ids].reduce((sum, id, e) => sum + weights[e] * (want[id] ?? 0), 0);
    return dot / Math.sqrt(square(weights) * square(Object.values(want)));
  });
}
