import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CallProgress, LabelScore } from '../api/calls';
import type { Model, Task } from '../api/types';
import { loadTestModel } from '../session/fixtures';
import { labelsOf, nanoTokenizer, plainLogits, tinyModel } from './fixtures';

/** Every task on random checkpoints against the plain-TypeScript model, with the scores' formulas written out here again. */
const TOLERANCE = 2e-4;
const tokenizer = nanoTokenizer();
const exp = (values: number[]) => {
  const powers = values.map((x) => Math.exp(x));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((x) => x / sum);
};
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

const QUERY = 'Which river flows through Paris?';
const DOCUMENTS = [
  'The Seine crosses the city from south-east to west.',
  'Bread is made of flour, water and salt.',
  'Two 🚣‍♀️ boats… on the river, naïve Ämter und 東京の川。',
  'x',
];

/** A model for the tests of one block, closed after them. */
function useModel(task: Exclude<Task, 'encoder'>, config: Record<string, unknown>, options: object = {}) {
  const used = {} as { model: Model; logits(sequences: Uint32Array[]): number[][] };
  beforeAll(async () => {
    const folder = tinyModel(task, config);
    used.model = await loadTestModel(folder, { dtype: 'f32', ...options });
    used.logits = (sequences) => plainLogits(folder, task, sequences);
  });
  afterAll(() => used.model?.dispose());
  return used;
}

const expectScores = (actual: LabelScore[], labels: string[], scores: number[]) => {
  const expected = labels.map((label, i) => ({ label, score: scores[i] })).sort((a, b) => b.score - a.score);
  expect(actual.map(({ label }) => label)).toEqual(expected.map(({ label }) => label));
  for (const [i, { score }] of actual.entries()) expect(Math.abs(score - expected[i].score)).toBeLessThan(TOLERANCE);
};

describe('a cross-encoder with one label', () => {
  const used = useModel('seqcls', { ...labelsOf(['LABEL_0']), classifier_pooling: 'mean' }, { maxTokensPerPass: 128 });
  const logits = () => used.logits(DOCUMENTS.map((text) => tokenizer.encode(QUERY, text).ids)).map(([x]) => x);

  it('reranks by the sigmoid of its logit, or the logit itself', async () => {
    const expected = logits();
    const order = [...expected.keys()].sort((a, b) => expected[b] - expected[a]);
    const results = await used.model.rerank(QUERY, DOCUMENTS, { returnDocuments: true });
    expect(results.map(({ index }) => index)).toEqual(order);
    expect(results.map(({ document }) => document)).toEqual(order.map((i) => DOCUMENTS[i]));
    for (const { index, score } of results) {
      expect(Math.abs(score - sigmoid(expected[index]))).toBeLessThan(TOLERANCE);
    }
    const raw = await used.model.rerank(QUERY, DOCUMENTS, { raw: true, topK: 2 });
    expect(raw.map(({ index }) => index)).toEqual(order.slice(0, 2));
    for (const { index, score } of raw) expect(Math.abs(score - expected[index])).toBeLessThan(TOLERANCE);
    expect(new Set(expected.map((x) => x.toFixed(3))).size).toBe(DOCUMENTS.length);
  });

  it('cuts the longer of query and document, and with maxTokens never the query', async () => {
    const long = `${DOCUMENTS[0]} `.repeat(30);
    await expect(used.model.rerank(QUERY, ['x', long])).rejects.toThrow(/Document 1 has \d+ tokens.*limit is 128/);
    const { ids: head } = tokenizer.encode(QUERY);
    for (const [options, length] of [
      [{ truncate: true }, 128],
      [{ maxTokens: 40 }, 40],
    ] as const) {
      const [{ score }] = await used.model.rerank(QUERY, [long], { ...options, raw: true });
      const whole = tokenizer.encode(QUERY, long).ids;
      const cut = Uint32Array.from([...whole.slice(0, length - 1), whole[whole.length - 1]]);
      expect([...cut.slice(0, head.length)]).toEqual([...head]);
      expect(Math.abs(score - used.logits([cut])[0][0])).toBeLessThan(TOLERANCE);
    }
    await expect(used.model.rerank(long, ['x'], { maxTokens: 40 })).rejects.toThrow(/first text has \d+ tokens/);
    const [{ score }] = await used.model.rerank(long, ['x'], { truncate: true, raw: true });
    const cut = tokenizer.encode(long, 'x', 128).ids;
    expect(Math.abs(score - used.logits([cut])[0][0])).toBeLessThan(TOLERANCE);
  });

  it('classifies with a sigmoid: a softmax over one label would always be 1', async () => {
    const [expected] = logits();
    const [{ label, score }] = await used.model.classify({ text: QUERY, pair: DOCUMENTS[0] });
    expect(label).toBe('LABEL_0');
    expect(Math.abs(score - sigmoid(expected))).toBeLessThan(TOLERANCE);
  });

  it('reports every pass, and an abort in between ends the call', async () => {
    const documents = Array.from({ length: 12 }, (_, i) => `${DOCUMENTS[i % 3]} Number ${i}.`);
    const lengths = documents.map((text) => tokenizer.encode(QUERY, text).ids.length);
    const totalTokens = lengths.reduce((a, b) => a + b, 0);
    const reports: CallProgress[] = [];
    const all = await used.model.rerank(QUERY, documents, { onProgress: (report) => reports.push(report) });
    expect(all).toHaveLength(12);
    expect(reports.length).toBeGreaterThanOrEqual(Math.ceil(totalTokens / 128));
    expect(reports.at(-1)).toEqual({ done: 12, total: 12, tokens: totalTokens, totalTokens });
    for (const [i, { done, tokens }] of reports.entries()) {
      expect(done).toBeGreaterThan(reports[i - 1]?.done ?? 0);
      expect(tokens).toBeGreaterThan(reports[i - 1]?.tokens ?? 0);
    }

    const controller = new AbortController();
    const seen: number[] = [];
    const aborted = used.model.rerank(QUERY, documents, {
      signal: controller.signal,
      onProgress({ done }) {
        seen.push(done);
        controller.abort(new Error('found what I wanted'));
      },
    });
    await expect(aborted).rejects.toThrow('found what I wanted');
    const after = await used.model.rerank(QUERY, documents);
    expect(seen).toHaveLength(1);
    expect(after).toEqual(all);
  });

  it('rejects with what the progress callback throws, and works on', async () => {
    const onProgress = () => {
      throw new RangeError('no room for a bar');
    };
    await expect(used.model.classify(DOCUMENTS, { onProgress })).rejects.toThrow('no room for a bar');
    expect(await used.model.classify(DOCUMENTS)).toHaveLength(4);
  });

  it('is no natural language inference model', async () => {
    await expect(used.model.zeroShot('text', ['a'])).rejects.toThrow(/zeroShot needs .* labels are LABEL_0/);
  });
});

describe('a cross-encoder with two labels', () => {
  const used = useModel('seqcls', labelsOf(['no', 'yes']));

  it("reranks by the second label's softmax probability", async () => {
    const expected = used.logits(DOCUMENTS.map((text) => tokenizer.encode(QUERY, text).ids)).map((row) => exp(row)[1]);
    for (const { index, score } of await used.model.rerank(QUERY, DOCUMENTS)) {
      expect(Math.abs(score - expected[index])).toBeLessThan(TOLERANCE);
    }
  });
});

describe('a natural language inference model', () => {
  const used = useModel('seqcls', labelsOf(['entailment', 'neutral', 'contradiction']));
  const TEXTS = ['One day I will see the world.', 'The bank raised its rates.'];
  const LABELS = ['travel', 'money', 'cooking'];
  const inferred = (template: string) =>
    TEXTS.map((text) => used.logits(LABELS.map((l) => tokenizer.encode(text, template.replace('{}', l)).ids)));

  it('says which label fits best, in one packed batch', async () => {
    const reports: CallProgress[] = [];
    const results = await used.model.zeroShot(TEXTS, LABELS, { onProgress: (report) => reports.push(report) });
    for (const [t, rows] of inferred('This example is {}.').entries()) {
      expectScores(results[t], LABELS, exp(rows.map(([entailment]) => entailment)));
    }
    expect(reports).toMatchObject([{ done: 6, total: 6 }]);
  });

  it('says how well each label fits', async () => {
    const options = { multiLabel: true, hypothesisTemplate: 'It is about {}!' };
    const [rows] = inferred(options.hypothesisTemplate);
    const fit = ([yes, , no]: number[]) => exp([no, yes])[1];
    expectScores(await used.model.zeroShot(TEXTS[0], LABELS, options), LABELS, rows.map(fit));
    const single = await used.model.zeroShot(TEXTS[0], LABELS.slice(0, 1), { ...options, multiLabel: false });
    expectScores(single, LABELS.slice(0, 1), rows.slice(0, 1).map(fit));
  });

  it('classifies pairs and texts, and is no cross-encoder', async () => {
    const pair = { text: TEXTS[0], pair: TEXTS[1] };
    const [a, b] = used.logits([tokenizer.encode(pair.text, pair.pair).ids, tokenizer.encode(TEXTS[0]).ids]);
    const labels = ['entailment', 'neutral', 'contradiction'];
    const results = await used.model.classify([pair, TEXTS[0]]);
    expectScores(results[0], labels, exp(a));
    expectScores(results[1], labels, exp(b));
    expectScores(await used.model.classify(pair, { raw: true }), labels, a);
    expectScores(await used.model.classify(pair, { multiLabel: true }), labels, a.map(sigmoid));
    expect(await used.model.classify(pair, { topK: 1 })).toEqual(results[0].slice(0, 1));
    await expect(used.model.rerank(QUERY, DOCUMENTS)).rejects.toThrow(
      /one or two labels; this one has 3 \(entailment, n/,
    );
  });
});

describe('a token classifier', () => {
  const labels = ['O', 'B-PER', 'I-PER', 'B-LOC', 'I-LOC'];
  const used = useModel('tokcls', labelsOf(labels));
  const text = 'Zoë 👩‍🚀 flew\tto\u00a0Mu\u0308nchen, 東京 and  Saint-Étienne…';

  it('labels tokens at their place in the text', async () => {
    const { ids, offsets } = tokenizer.encode(text);
    const rows = used.logits([ids]).map(exp);
    const found = await used.model.classifyTokens(text);
    expect(found.map(({ index }) => index)).toEqual([...ids.keys()].slice(1, -1));
    for (const { index, label, score, start, end } of found) {
      expect([start, end]).toEqual(offsets[index]);
      expect(label).toBe(labels[rows[index].indexOf(Math.max(...rows[index]))]);
      expect(Math.abs(score - Math.max(...rows[index]))).toBeLessThan(TOLERANCE);
    }
    const named = await used.model.classifyTokens(text, { ignoreLabels: ['O', 'B-PER'] });
    expect(named).toEqual(found.filter(({ label }) => label !== 'O' && label !== 'B-PER'));
    expect(named.length).toBeLessThan(found.length);
  });

  it('gives entities whose text is what stands at their place', async () => {
    for (const aggregation of ['simple', 'first', 'max', 'average'] as const) {
      const [entities] = await used.model.classifyTokens([text], { aggregation, ignoreLabels: [] });
      expect(new Set(entities.map(({ label }) => label)).size).toBeGreaterThan(1);
      let last = 0;
      for (const entity of entities) {
        expect(entity.text).toBe(text.slice(entity.start, entity.end));
        expect(['O', 'PER', 'LOC']).toContain(entity.label);
        expect(entity.end).toBeGreaterThan(entity.start);
        expect(entity.end).toBeGreaterThanOrEqual(last);
        last = entity.end;
      }
      if (aggregation === 'simple') continue;
      // Nothing is ignored here, so that the entities have the whole text in their order; only spaces may lie outside of them.
      const letters = (part: string) => part.replace(/\s+/g, '');
      expect(letters(entities.map((entity) => entity.text).join(''))).toBe(letters(text));
    }
  });
});

describe('a masked language model', () => {
  const used = useModel('mlm', {});
  const text = 'The [MASK] of France is [MASK].';

  it('scores target words over the whole vocabulary', async () => {
    const { ids } = tokenizer.encode(text);
    const maskRows = [...ids.keys()].filter((i) => ids[i] === tokenizer.maskTokenId);
    const rows = used
      .logits([ids])
      .filter((_, i) => maskRows.includes(i))
      .map(exp);
    const targets = ['capital', ' king', 'river'];
    const targetIds = [' capital', ' king', ' river'].map((word) => tokenizer.encode(word).ids[1]);
    const masks = await used.model.fillMask(text, { targets, sequences: true });
    expect(masks.map(({ index }) => index)).toEqual(maskRows);
    for (const [m, { candidates }] of masks.entries()) {
      expect(new Set(candidates.map(({ tokenId }) => tokenId))).toEqual(new Set(targetIds));
      expect(candidates.map(({ score }) => score)).toEqual(candidates.map(({ score }) => score).sort((a, b) => b - a));
      for (const { tokenId, score } of candidates) expect(score / rows[m][tokenId]).toBeCloseTo(1, 3);
    }
    const { token, sequence } = masks[1].candidates[0];
    expect(sequence).toBe(`The [MASK] of France is${token}.`);
    expect((await used.model.fillMask(text, { targets, topK: 1 }))[0].candidates).toHaveLength(1);
  });

  it('gives the best of all tokens', async () => {
    const { ids } = tokenizer.encode(text);
    const [row] = used
      .logits([ids])
      .filter((_, i) => ids[i] === tokenizer.maskTokenId)
      .map(exp);
    const best = [...row.keys()].sort((a, b) => row[b] - row[a]).slice(0, 3);
    const [{ candidates }] = await used.model.fillMask(text, { topK: 3, sequences: true });
    expect(candidates.map(({ tokenId }) => tokenId)).toEqual(best);
    for (const { tokenId, score } of candidates) expect(score / row[tokenId]).toBeCloseTo(1, 3);
  });

  it('says by name what it is not', async () => {
    const { model } = used;
    await expect(model.rerank(QUERY, DOCUMENTS)).rejects.toThrow(
      'rerank needs a sequence classifier; this checkpoint is a masked language model.',
    );
    await expect(model.zeroShot('a', ['b'])).rejects.toThrow(/zeroShot needs .* masked language model/);
    await expect(model.classifyTokens('a')).rejects.toThrow(/classifyTokens needs a token classifier; .* masked/);
  });
});
