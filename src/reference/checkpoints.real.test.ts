import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PREPARED_FILE, type Prepared, realCheckpoints } from '../../tools/real/prepare.mjs';
import type { Kind } from '../api/embeddings';
import type { Dtype, Model } from '../api/types';
import { minCosine } from '../model/fixtures/golden';
import { similarity, sparseSimilarity } from '../node';
import { loadTestModel } from '../session/fixtures';
import { type ReferenceCall, type ReferenceCase, RUNS } from './calls';

/** Real checkpoints (tools/real) compute what sentence-transformers computes from them; `npm run test:real` fetches them. */

const prepared = JSON.parse(readFileSync(PREPARED_FILE, 'utf8')) as Record<string, Prepared>;

/** By language: a query, a text that is related to it and one that is not. */
const SENSE = JSON.parse(
  readFileSync(fileURLToPath(new URL('../../tools/real/sense.json', import.meta.url)), 'utf8'),
) as Record<string, [query: string, related: string, unrelated: string][]>;

/** Least cosine of any text's embedding with that in f32. */
const SMALLER: [Dtype, number][] = [
  ['f16', 0.9999],
  ['q8', 0.999],
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

  it.each(SMALLER)('in %s: embeddings to a cosine of %d', async (dtype, least) => {
    const model = await loadTestModel(found.folder, { dtype, arithmetic: 'f32' });
    try {
      for (const call of embeddings) expect(await leastCosine(model, call)).toBeGreaterThanOrEqual(least);
    } finally {
      await model.dispose();
    }
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

/** The smallest cosine of a text's embedding with what sentence-transformers computes. */
async function leastCosine(model: Model, { call, texts = [], options, values }: ReferenceCall): Promise<number> {
  const input = { truncate: true, ...options };
  if (call === 'embed') {
    const { data, dim } = await model.embed(texts as string[], input);
    return minCosine(data, Float32Array.from((values as number[][]).flat()), dim);
  }
  const found = await model.embedSparse(texts as string[], input);
  const cosines = (values as Record<string, number>[]).map((want, i) => {
    const { ids, weights } = found.row(i);
    const square = (numbers: Iterable<number>) => [...numbers].reduce((sum, x) => sum + x * x, 0);
    const dot = [...ids].reduce((sum, id, e) => sum + weights[e] * (want[id] ?? 0), 0);
    return dot / Math.sqrt(square(weights) * square(Object.values(want)));
  });
  return cosines.reduce((least, x) => Math.min(least, Number.isFinite(x) ? x : -1), 1);
}
