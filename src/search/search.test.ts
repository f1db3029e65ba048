import { afterEach, describe, expect, it, vi } from 'vitest';
import { createIndex } from '../search';
import { memoryStore, wordModel } from './fixtures';
import type { IndexOptions, IndexProgress, SearchIndex } from './types';

const DOCUMENTS = [
  { id: 'seine', text: 'the seine crosses paris', metadata: { topic: 'rivers' } },
  { id: 'danube', text: 'the danube crosses vienna and budapest', metadata: { topic: 'rivers' } },
  { id: 'bread', text: 'bread is made of flour water and salt', metadata: { topic: 'food' } },
];
const LONG = Array.from({ length: 40 }, (_, i) => `word${i}`).join(' ');

const open = async (options: IndexOptions = {}, stand = wordModel()) => ({
  ...stand,
  stand,
  index: (await createIndex(stand.model, options)) as SearchIndex,
});
const idsOf = (hits: { id: string }[]) => hits.map(({ id }) => id);

afterEach(() => void vi.restoreAllMocks());

describe('searching', () => {
  it('by vectors gives cosines, best first', async () => {
    const { index } = await open();
    await index.add(DOCUMENTS);
    const hits = await index.search('the seine crosses paris', { mode: 'vectors' });
    expect(idsOf(hits)).toEqual(['seine', 'danube', 'bread']);
    expect(hits[0]).toEqual({
      ...DOCUMENTS[0],
      score: expect.closeTo(1, 6),
      similarity: expect.closeTo(1, 6),
      passage: { start: 0, end: 23 },
    });
    expect(hits[1].score).toBeLessThan(1);
    expect(index.size).toBe(3);
    expect(index.passages).toBe(3);
    expect([...index.documents()]).toEqual(DOCUMENTS);
  });

  it.each(['float32', 'int8', 'binary'] as const)('both say how similar each passage is, in %s', async (precision) => {
    const { index } = await open({ precision });
    await index.add(DOCUMENTS);
    const byVectors = await index.search('the seine', { mode: 'vectors' });
    const found = await index.search('the seine', { mode: 'hybrid' });
    const similarities = (hits: typeof found) => new Map(hits.map(({ id, similarity }) => [id, similarity]));
    expect(similarities(found)).toEqual(similarities(byVectors));
    expect(byVectors.map(({ similarity }) => similarity)).toEqual(byVectors.map(({ score }) => score));
    expect((await index.search('the seine', { mode: 'words' }))[0]).not.toHaveProperty('similarity');
  });

  it.each(['float32', 'int8', 'binary'] as const)(
    'takes an embedding in the place of the model, in %s',
    async (precision) => {
      const stand = wordModel({ embeddingSpace: 'org/a' });
      const { index, model, embedded } = await open({ precision }, stand);
      await index.add(DOCUMENTS);
      const asked = await index.search('the seine');
      const embedding = await model.embed(['the seine'], {
        kind: 'query',
        normalize: true,
        precision: precision === 'float32' ? 'float32' : 'int8',
      });
      const before = embedded.length;
      expect(await index.search('the seine', { embedding })).toEqual(asked);
      expect(await index.search('the seine', { embedding, mode: 'words' })).toEqual(
        await index.search('the seine', { mode: 'words' }),
      );
      const byVectors = await index.search(' ', { embedding });
      expect(byVectors).toEqual(await index.search('whatever', { embedding, mode: 'vectors' }));
      expect(embedded).toHaveLength(before);
    },
  );

  it('takes an embedding of any length', async () => {
    const { index, model } = await open();
    await index.add(DOCUMENTS);
    const { data, ...rest } = await model.embed(['the seine crosses paris'], { normalize: false });
    const [hit] = await index.search('', { embedding: { ...rest, data: data.map((x) => 3 * x) } });
    expect(hit).toMatchObject({ id: 'seine', score: expect.closeTo(1, 6), similarity: expect.closeTo(1, 6) });
  });

  it('by words finds only texts that have them', async () => {
    const { index, embedded } = await open();
    await index.add(DOCUMENTS);
    const before = embedded.length;
    expect(idsOf(await index.search('Paris!', { mode: 'words' }))).toEqual(['seine']);
    expect(await index.search('nothing of this', { mode: 'words' })).toEqual([
      expect.objectContaining({ id: 'bread' }),
    ]);
    expect(embedded).toHaveLength(before);
  });

  it('by both gives ⅓ of the place by vectors and ⅔ of the squared share by words', async () => {
    const { index } = await open();
    await index.add(DOCUMENTS);
    const hits = await index.search('vienna');
    const byVectors = await index.search('vienna', { mode: 'vectors' });
    const [best, least] = [byVectors[0].score, byVectors[2].score];
    const place = (id: string) => (byVectors.find((hit) => hit.id === id)!.score - least) / (best - least);
    // danube has 6 words, the mean is 18 / 3: vienna counts as in a passage of mean length.
    expect(hits[0]).toMatchObject({ id: 'danube', score: expect.closeTo(place('danube') / 3 + 2 / 3, 10) });
    for (const { id, score } of hits.slice(1)) expect(score).toBeCloseTo(place(id) / 3, 10);
  });

  it('by both counts the words of the nearest documents, also if more than a hundred others have more of them', async () => {
    const { index } = await open({ chunk: false });
    await index.add(Array.from({ length: 300 }, (_, i) => ({ id: `${i}`, text: `whale a${i} b${i} c${i}` })));
    const [nearest] = await index.search('whale', { mode: 'vectors' });
    const words = await index.search('whale', { mode: 'words', topK: 300 });
    expect(new Set(words.map(({ score }) => score)).size).toBe(1);
    expect(words.findIndex(({ id }) => id === nearest.id)).toBeGreaterThan(100);
    const [best] = await index.search('whale');
    expect(best).toMatchObject({ id: nearest.id, score: expect.closeTo(1, 10) });
    const all = await index.search('whale', { topK: 300 });
    expect(await index.search('whale', { topK: 99 })).toEqual(all.slice(0, 99));
  });

  it('by both does not go by words that say little, and finds a number that the model does not know', async () => {
    const stand = wordModel();
    const answers: Record<string, string> = { 'how do you do it': 'seine', 'is ab-1234 of zinc': 'bread' };
    const { embed } = stand.model;
    // a model that knows the answers, or is wrong about them
    stand.model.embed = ((texts: string[], options: object) =>
      embed(
        texts.map((text) => DOCUMENTS.find(({ id }) => id === answers[text])?.text ?? text),
        options,
      )) as typeof embed;
    const { index } = await open({}, stand);
    await index.add([
      ...DOCUMENTS,
      { id: 'do', text: 'well they do and do and do for many years as others did before them' },
      { id: 'part', text: 'bolt ab-1234 of zinc' },
      { id: 'other', text: 'bolt ab-4321 of zinc' },
    ]);
    expect(idsOf(await index.search('how do you do it', { mode: 'words' }))).toEqual(['do']);
    expect((await index.search('how do you do it'))[0].id).toBe('seine');
    expect((await index.search('is ab-1234 of zinc', { mode: 'vectors' }))[0].id).toBe('bread');
    expect((await index.search('is ab-1234 of zinc'))[0].id).toBe('part');
  });

  it('by both stays from 0 to 1 where products have no bounds, and goes by words where vectors are no numbers', async () => {
    const stand = wordModel({ info: { similarity: 'dot' } });
    const { index } = await open({}, stand);
    await index.add([...DOCUMENTS, { id: 'long', text: Array.from({ length: 60 }, () => 'vienna seine').join(' ') }]);
    expect((await index.search('vienna', { mode: 'vectors' }))[0].score).toBeGreaterThan(1);
    const hits = await index.search('vienna');
    expect(hits).toHaveLength(4);
    for (const { score } of hits) expect(score === Math.min(1, Math.max(0, score))).toBe(true);
    const { embed } = stand.model;
    stand.model.embed = (async (texts: string[], options: object) => {
      const embeddings = await embed(texts, options);
      embeddings.data.fill(Number.NaN);
      return embeddings;
    }) as typeof embed;
    expect(idsOf(await index.search('budapest'))).toEqual(['danube']);
    expect(await index.search('budapest', { mode: 'vectors' })).toEqual([]);
  });

  it('by both finds words of scripts without spaces', async () => {
    const { index } = await open();
    await index.add([
      ...DOCUMENTS,
      { id: 'tokyo', text: '東京都は日本の首都です。' },
      { id: 'osaka', text: '大阪は食べ物の町です。' },
    ]);
    expect((await index.search('日本の首都'))[0].id).toBe('tokyo');
    expect((await index.search('大阪の食べ物'))[0].id).toBe('osaka');
  });

  it('leaves out what the filter does, however many are wanted', async () => {
    const { index } = await open();
    await index.add(DOCUMENTS);
    for (const mode of ['vectors', 'hybrid', 'words'] as const) {
      const filter = ({ topic }: Record<string, unknown>, id: string) => topic === 'rivers' && id !== 'seine';
      expect(idsOf(await index.search('the crosses and', { mode, filter }))).toEqual(['danube']);
      expect(await index.search('the crosses', { mode, filter: () => false })).toEqual([]);
    }
    expect(idsOf(await index.search('the', { topK: 2, mode: 'vectors' }))).toHaveLength(2);
  });

  it('of an empty index or for an empty query finds nothing', async () => {
    const { index } = await open();
    expect(await index.search('a')).toEqual([]);
    await index.add(DOCUMENTS);
    expect(await index.search('  ')).toEqual([]);
  });

  it('works on what is stored while more is added', async () => {
    const { index, stand } = await open();
    await index.add(DOCUMENTS[0]);
    let release = () => {};
    const blocked = new Promise<void>((resolve) => {
      release = resolve;
    });
    stand.beforeEmbed = async (texts) => (texts[0].startsWith('bread is') ? blocked : undefined);
    const adding = index.add([DOCUMENTS[2]]);
    expect(idsOf(await index.search('bread'))).toEqual(['seine']);
    release();
    await adding;
    expect(idsOf(await index.search('bread'))).toEqual(['bread', 'seine']);
  });
});

describe('passages', () => {
  const chunk = { maxTokens: 8, overlap: 2 };

  it('of long documents are found with their offsets; a hit is a document', async () => {
    const { index } = await open({ chunk });
    await index.add([{ id: 'long', text: LONG }, ...DOCUMENTS]);
    expect(index.passages).toBe(3 + 7);
    for (const mode of ['vectors', 'words', 'hybrid'] as const) {
      const hits = await index.search('word20 word21 word22 word23', { mode });
      expect(hits[0].id).toBe('long');
      const { start, end } = hits[0].passage!;
      expect(LONG.slice(start, end).split(' ')).toEqual(Array.from({ length: 8 }, (_, i) => `word${18 + i}`));
      expect(new Set(idsOf(hits)).size).toBe(hits.length);
    }
  });

  it('of one document do not keep others out', async () => {
    const { index } = await open({ chunk: { maxTokens: 2, overlap: 0 } });
    const text = Array.from({ length: 100 }, () => 'seine paris').join(' ');
    await index.add([{ id: 'many', text }, ...DOCUMENTS]);
    const hits = await index.search('seine paris', { mode: 'vectors', topK: 4 });
    expect(idsOf(hits)).toHaveLength(4);
    expect(hits[0].id).toBe('many');
  });

  it('of whole documents: no offsets, and an error that names one that is too long', async () => {
    const { index } = await open({ chunk: false }, wordModel({ maxTokens: 30 }));
    await index.add(DOCUMENTS);
    expect(await index.search('paris')).not.toContainEqual(expect.objectContaining({ passage: expect.anything() }));
    await expect(index.add([DOCUMENTS[0], { id: 'long', text: LONG }])).rejects.toThrow(
      "Document 'long' has 40 tokens, the model's limit is 30.",
    );
    expect(index.size).toBe(3);
  });

  it('and the prompt fit the model', async () => {
    const stand = wordModel({ maxTokens: 20, info: { prompts: { document: 'three words before ' } } });
    const { index } = await open({}, stand);
    await index.add([{ id: 'long', text: LONG }]);
    const longest = Math.max(...stand.embedded.map((text) => text.split(' ').length));
    expect(longest).toBe(20);
    await expect(open({ chunk: { maxTokens: 18 } }, stand)).rejects.toThrow(
      "chunk.maxTokens must be an integer up to 17, what the prompt's 3 tokens leave of the model's limit; it is 18.",
    );
    await expect(open({ chunk: { maxTokens: 10, overlap: 6 } }, stand)).rejects.toThrow(/overlap must be/);
  });
});

describe('adding', () => {
  it('takes a document, a list, what comes one by one; the last of an id stays', async () => {
    const { index } = await open();
    await index.add(DOCUMENTS[0]);
    await index.add(new Set([DOCUMENTS[1], { id: 'danube', text: 'blue danube' }]));
    await index.add(
      (async function* () {
        yield DOCUMENTS[2];
      })(),
    );
    expect(index.size).toBe(3);
    const [hit] = await index.search('blue danube');
    expect(hit).toMatchObject({ id: 'danube', text: 'blue danube', metadata: {} });
    expect(await index.search('vienna', { mode: 'words' })).toEqual([]);
    expect(index.passages).toBe(3);
  });

  it('embeds only texts that have changed, with the prompts of documents and queries', async () => {
    const stand = wordModel({ info: { prompts: { query: 'Q: ', document: 'D: ', passage: 'P: ' } } });
    const { index } = await open({}, stand);
    stand.embedded.length = 0;
    await index.add(DOCUMENTS);
    expect(stand.embedded).toEqual(DOCUMENTS.map(({ text }) => `D: ${text}`));
    stand.embedded.length = 0;
    await index.add([
      { ...DOCUMENTS[0], metadata: { topic: 'other' } },
      { id: 'bread', text: 'other bread' },
      DOCUMENTS[1],
    ]);
    expect(stand.embedded).toEqual(['D: other bread']);
    const [hit] = await index.search('the seine crosses paris', { mode: 'vectors' });
    expect(stand.embedded.at(-1)).toBe('Q: the seine crosses paris');
    expect(hit.metadata).toEqual({ topic: 'other' });
    const other = await open({ document: { promptName: 'passage' }, query: { prompt: 'ask ' } }, stand);
    await other.index.add(DOCUMENTS[0]);
    await other.index.search('a', { mode: 'vectors' });
    expect(stand.embedded.slice(-2)).toEqual(['P: the seine crosses paris', 'ask a']);
  });

  it('reports progress, in batches', async () => {
    const { index } = await open();
    const seen: IndexProgress[] = [];
    const many = Array.from({ length: 150 }, (_, i) => ({ id: `${i}`, text: `text number ${i}` }));
    await index.add(many, { onProgress: (progress) => seen.push(progress) });
    expect(seen[0]).toEqual({ done: 0, total: 150, passages: 0 });
    expect(seen.at(-1)).toEqual({ done: 150, total: 150, passages: 150 });
    expect(seen.map(({ done }) => done)).toEqual(expect.arrayContaining([64, 128]));
    await index.add(many.values(), { onProgress: (progress) => seen.push(progress) });
    expect(seen.at(-1)).toEqual({ done: 150, total: undefined, passages: 0 });
  });

  it('an abort leaves whole batches', async () => {
    const store = memoryStore();
    const { index, stand } = await open({ store });
    const abort = new AbortController();
    const many = Array.from({ length: 200 }, (_, i) => ({ id: `${i}`, text: `text number ${i}` }));
    const adding = index.add(many, {
      signal: abort.signal,
      onProgress: ({ done }) => done === 64 && abort.abort(new Error('enough')),
    });
    await expect(adding).rejects.toThrow('enough');
    await vi.waitFor(() => expect(index.size % 64).toBe(0));
    expect(index.size).toBeGreaterThan(0);
    expect(index.size).toBeLessThan(200);
    expect((await store.read())!.records).toHaveLength(index.size);
    stand.embedded.length = 0;
    const before = index.size;
    await index.add(many);
    expect(stand.embedded).toHaveLength(200 - before);
    await expect(index.search('a', { signal: AbortSignal.abort() })).rejects.toThrow(/abort/i);
  });

  it('is undone by remove', async () => {
    const { index } = await open();
    await index.add(DOCUMENTS);
    expect(await index.remove(['seine', 'nothing', 'seine'])).toBe(1);
    expect(await index.remove('bread')).toBe(1);
    expect(index.size).toBe(1);
    expect(idsOf(await index.search('seine bread danube'))).toEqual(['danube']);
    expect(await index.search('seine', { mode: 'words' })).toEqual([]);
  });

  it('changes nothing if the store cannot be written', async () => {
    const store = memoryStore();
    const { index } = await open({ store });
    await index.add(DOCUMENTS[0]);
    vi.spyOn(store, 'write').mockRejectedValueOnce(new DOMException('full', 'QuotaExceededError'));
    await expect(index.add(DOCUMENTS[2])).rejects.toThrow('full');
    expect(index.size).toBe(1);
    await index.add(DOCUMENTS[2]);
    expect(index.size).toBe(2);
  });
});

describe('precision', () => {
  it.each(['int8', 'binary'] as const)(
    '%s: the same order as float32 of texts that are not alike',
    async (precision) => {
      const { index } = await open({ precision });
      await index.add(DOCUMENTS);
      const [{ id, score }] = await index.search('the seine crosses paris', { mode: 'vectors' });
      expect(id).toBe('seine');
      expect(score).toBeCloseTo(1, 6);
      await index.add({ ...DOCUMENTS[0], metadata: {} });
      expect((await index.search('the seine crosses paris', { mode: 'vectors' }))[0].score).toBeCloseTo(1, 6);
    },
  );

  it('dot compares lengths too', async () => {
    const stand = wordModel({ info: { similarity: 'dot' } });
    const texts = [
      { id: 'once', text: 'seine' },
      { id: 'thrice', text: 'seine seine seine' },
    ];
    const { index } = await open({}, stand);
    await index.add(texts);
    const [best, other] = await index.search('seine', { mode: 'vectors' });
    expect(best.id).toBe('thrice');
    expect(best.score / other.score).toBeCloseTo(3, 5);
    const cosine = await open({ metric: 'cosine' }, stand);
    await cosine.index.add(texts);
    for (const { score } of await cosine.index.search('seine', { mode: 'vectors' })) expect(score).toBeCloseTo(1, 6);
  });

  it('dimensions cut the vectors', async () => {
    const store = memoryStore();
    const { index } = await open({ dimensions: 5, store });
    await index.add(DOCUMENTS);
    expect((await store.read())!.records[0].vectors).toHaveLength(5);
    expect((await index.search('the seine crosses paris', { mode: 'vectors' }))[0].score).toBeCloseTo(1, 6);
  });
});
