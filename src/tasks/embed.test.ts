import { describe, expect, it, vi } from 'vitest';
import { poolingModule } from '../model/modules/pooling';
import { chainOf, type SentenceConfig } from '../model/sentence';
import type { Item } from '../runtime/pass-items';
import { callsOn, nanoTokenizer } from './fixtures';

const tokenizer = nanoTokenizer();
/** As many numbers as are wanted, made of the first token after [CLS]. */
const reading = ({ ids }: Item, { head }: Item['wanted'][number]): number[][] => [
  Array.from({ length: JSON.parse(head.key).at(-1) }, (_, i) => ids[1] * (i % 2 ? -1 : 1)),
];
const using = (sentence: Partial<SentenceConfig> = {}) => callsOn('encoder', {}, reading, tokenizer, sentence);
const idsOf = (text: string) => tokenizer.encode(text).ids;

describe('embed', () => {
  it('takes its list as it was at the call: the caller may reuse it', async () => {
    const { calls } = using();
    const texts = ['a b', 'c d', 'e f'];
    const expected = (await calls.embed(texts)).data;
    let now = 0;
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => (now += 1000)); // tokenizing yields after every text
    const waiting = calls.embed(texts);
    texts.splice(0, 2, 'other');
    const { rows, data } = await waiting;
    clock.mockRestore();
    expect(rows).toBe(3);
    expect(data).toEqual(expected);
  });

  const prompts = { query: 'search_query: ', document: 'search_document: ' };

  it('puts the prompt before every text: by name, literally, or the default one', async () => {
    const { calls, submitted } = using({ prompts, default_prompt_name: 'document' });
    await calls.embed(['a b'], { promptName: 'query' });
    await calls.embed(['a b'], { prompt: 'Q> ', promptName: 'query' });
    await calls.embed(['a b']);
    await calls.embed(['a b'], { prompt: '' });
    const texts = ['search_query: a b', 'Q> a b', 'search_document: a b', 'a b'];
    expect(submitted.map(({ ids }) => ids)).toEqual(texts.map(idsOf));
    expect(submitted.map(({ ids, wanted }) => [wanted[0].spans, ids.length])).toEqual(
      texts.map((text) => [[[0, 0, idsOf(text).length]], idsOf(text).length]),
    );
    await expect(calls.embed('a', { promptName: 'passage' })).rejects.toThrow(
      /no prompt 'passage'; it has query, document/,
    );
    await expect(using().calls.embed('a', { promptName: 'passage' })).rejects.toThrow(/it has none/);
  });

  const mean = chainOf([poolingModule(['mean'])], 64);
  const chains = { any: mean, query: mean, document: mean };

  it('takes the prompt of the kind or none, never the default one', async () => {
    const inputsOf = async (prompts: Record<string, string>, default_prompt_name: string) => {
      const { calls, submitted } = using({ prompts, default_prompt_name, chains });
      for (const kind of ['query', 'document', undefined] as const) await calls.embed(['a b'], { kind });
      return submitted.map(({ ids }) => ids);
    };
    const both = { 'retrieval.query': 'Q: ', 'retrieval.passage': 'P: ', separation: 'S: ' };
    expect(await inputsOf(both, 'separation')).toEqual(['Q: a b', 'P: a b', 'S: a b'].map(idsOf));
    const forQueries = { query: 'Represent this: ' };
    expect(await inputsOf(forQueries, 'query')).toEqual(
      ['Represent this: a b', 'a b', 'Represent this: a b'].map(idsOf),
    );
    const { calls, submitted } = using({ prompts: both, chains });
    await calls.embed(['a b'], { kind: 'document', promptName: 'separation' });
    await calls.embed(['a b'], { kind: 'document', prompt: '' });
    expect(submitted.map(({ ids }) => ids)).toEqual(['S: a b', 'a b'].map(idsOf));
    await expect(calls.embed('a', { kind: 'passage' as 'query' })).rejects.toThrow(
      'kind must be one of query, document',
    );
  });

  it('an empty list has no rows, but the size and space of others', async () => {
    const { calls, submitted } = using({ chains });
    const { embeddingSpace } = await calls.embed('x');
    submitted.length = 0;
    const none = await calls.embed([]);
    expect(none).toMatchObject({ data: new Float32Array(0), rows: 0, dim: 64, embeddingSpace });
    expect(none.toArrays()).toEqual([]);
    expect(await calls.embed([], { precision: 'binary', dimensions: 12 })).toMatchObject({
      data: new Uint8Array(0),
      rows: 0,
      dim: 12,
    });
    expect((await calls.embed([], { chunks: [] })).rows).toBe(0);
    expect(submitted).toEqual([]);
    await expect(calls.embed({} as never)).rejects.toThrow('Text 0 must be a string or { ids }, it is another object.');
    await expect(calls.embed(['a', ''])).rejects.toThrow('Text 1 is empty.');
    await expect(calls.embed([], { dimensions: 65 })).rejects.toThrow(RangeError);
    expect(await calls.chunk([])).toEqual([]);
  });

  it('names the embedding space by all that changes what a number means', async () => {
    const { calls } = using({ chains });
    const spaceOf = async (options: object) => (await calls.embed('x', options)).embeddingSpace;
    expect(await spaceOf({})).toBe('test/float/mean/64/unit');
    for (const same of [
      { kind: 'query' },
      { kind: 'document' },
      { prompt: 'Q: ' },
      { pooling: 'mean' },
      { truncate: true },
    ]) {
      expect(await spaceOf(same)).toBe('test/float/mean/64/unit');
    }
    expect(await spaceOf({ pooling: ['cls', 'max'] })).toBe('test/float/cls+max/128/unit');
    expect(await spaceOf({ dimensions: 16, normalize: false })).toBe('test/float/mean/16/raw');
    expect(await spaceOf({ precision: 'binary' })).toBe('test/float/mean/64/unit/binary');
    expect(await spaceOf({ precision: 'int8' })).toBe('test/float/mean/64/unit/int8');
    // The lengths of embeddings made for the dot product count.
    const dot = using({ chains, similarity: 'dot' }).calls;
    expect((await dot.embed('x')).embeddingSpace).toBe('test/float/mean/64/raw');
    expect((await dot.embed('x', { dimensions: 16 })).embeddingSpace).toBe('test/float/mean/16/raw');
    expect((await dot.embed('x', { normalize: true })).embeddingSpace).toBe('test/float/mean/64/unit');
    const ranged = (most: number) =>
      spaceOf({ precision: 'int8', ranges: { min: Array(64).fill(-1), max: new Float32Array(64).fill(most) } });
    expect(await ranged(1)).toMatch(/^test\/float\/mean\/64\/unit\/int8~[0-9a-f]{8}$/);
    expect(await ranged(1)).not.toBe(await ranged(2));
  });

  it("leaves a prompt's tokens out of the pooling where include_prompt is false", async () => {
    const { calls, submitted } = using({ prompts, chains: { any: chainOf([poolingModule(['mean'], false)], 64) } });
    await calls.embed(['a b'], { promptName: 'query' });
    await calls.embed(['a b']);
    const skips = submitted.map(({ wanted }) => wanted[0].spans![0][1]);
    expect(skips).toEqual([idsOf(prompts.query).length - 1, 0]);
  });

  it('embeds chunks of one pass over the text: the tokens that begin in each', async () => {
    const { calls, submitted } = using({ prompts });
    const text = 'one two three  four';
    const spans = async (options: object, own: string | string[] = text) => {
      const { rows } = await calls.embed(own, options);
      const all = submitted.splice(0).map(({ wanted }) => wanted[0].spans!);
      expect(rows).toBe(all.flat().length);
      return all;
    };
    const { offsets } = tokenizer.encode(text);
    const starting = (start: number, end: number) => {
      const own = [...offsets.keys()].filter(
        (t) => offsets[t][1] > start && offsets[t][0] >= start && offsets[t][0] < end,
      );
      return [own[0], own[0], own[own.length - 1] + 1];
    };
    const chunks = [
      { start: 0, end: 7 },
      { start: 8, end: 19 },
      { start: 4, end: 13 },
    ];
    const expected = chunks.map(({ start, end }) => starting(start, end));
    expect(expected[0][0]).toBe(1); // not [CLS]
    expect(expected[1][2]).toBe(offsets.length - 1); // not [SEP]
    expect(await spans({ chunks })).toEqual([expected]);
    const prompt = tokenizer.encode(`${prompts.query}${text}`).ids.length - offsets.length;
    expect(await spans({ chunks, promptName: 'query' })).toEqual([
      expected.map((span) => span.map((at) => at + prompt)),
    ]);
    expect(await spans({ chunks: [[chunks[1]], chunks] }, [text, text])).toEqual([[expected[1]], expected]);
    await expect(calls.embed([text], { chunks })).rejects.toThrow(/a list of chunks for each of the 1 texts/);
    for (const chunk of [{ start: 3, end: 3 }, { start: 0, end: 20 }, { start: 0.5, end: 4 }, { start: 4 }]) {
      await expect(calls.embed(text, { chunks: [chunk as { start: 0; end: 1 }] })).rejects.toThrow(
        /part of the text's 19/,
      );
    }
    await expect(calls.embed(text, { chunks: [{ start: 1, end: 2 }] })).rejects.toThrow(/1 to 2, has no token/);
  });

  it("takes a text's token ids, as tokenize returns them, also among strings", async () => {
    const { calls, submitted } = using({ prompts });
    const { data } = await calls.embed(['a b', await calls.tokenize('c d'), { ids: [...idsOf('e f')] }]);
    expect(data).toEqual((await calls.embed(['a b', 'c d', 'e f'])).data);
    const sent = submitted.splice(0).map(({ ids, wanted }) => [[...ids], wanted[0].spans]);
    expect(sent.slice(0, 3)).toEqual(sent.slice(3));

    const long = 'one two '.repeat(200);
    await expect(calls.embed({ ids: idsOf(long) })).rejects.toThrow(/Text 0 has \d+ tokens, the model's limit is 128/);
    await calls.embed([{ ids: idsOf(long) }, long], { truncate: true });
    expect(submitted[0].ids).toHaveLength(128);
    expect(submitted[0].ids).toEqual(submitted[1].ids);
  });

  it('refuses ids of another tokenizer, without special tokens, or with a prompt or chunks', async () => {
    const { calls } = using({ prompts, default_prompt_name: 'query' });
    const ids = [...idsOf('a b')];
    const [cls, sep] = [ids[0], ids[ids.length - 1]];
    const plain = { prompt: '' };
    for (const wrong of [[], [cls], ids.slice(1), ids.slice(0, -1), [3923, 374, 264]]) {
      await expect(calls.embed({ ids: wrong }, plain)).rejects.toThrow(
        `The ids of text 0 lack the special tokens around a text. They must be this model's, as tokenize returns them: ids that begin with [${cls}] and end with [${sep}].`,
      );
    }
    await expect(calls.embed(['x', { ids: [cls, 16384, sep] }], plain)).rejects.toThrow(
      'The ids of text 1 have 16384, and the vocabulary ends at 16383.',
    );
    for (const wrong of [-1, 0.5, Number.NaN, '5' as unknown as number]) {
      await expect(calls.embed({ ids: [cls, wrong, sep] }, plain)).rejects.toThrow(/ids of text 0\[1\] is /);
    }
    await expect(calls.embed([null as unknown as string])).rejects.toThrow('Text 0 must be a string or { ids }');
    await expect(calls.embed({ ids })).rejects.toThrow(/which no prompt can be put before: pass prompt: ''/);
    await expect(calls.embed({ ids }, { ...plain, chunks: [{ start: 0, end: 1 }] })).rejects.toThrow(/have no chunks/);
  });

  it('cuts to the dimensions that are asked for, or that the checkpoint says', async () => {
    const { calls, submitted } = using({ truncate_dim: 16 });
    await calls.embed('x');
    expect(submitted[0].wanted[0].head).toMatchObject({ key: expect.stringMatching(/16]$/) });
    for (const dimensions of [0, 65, 1.5]) {
      await expect(calls.embed('x', { dimensions })).rejects.toThrow(/from 1 to the embedding's 64/);
    }
  });

  it('gives binary rows of whole bytes and int8 rows', async () => {
    const { calls } = using();
    const bits = await calls.embed(['x', 'y'], { precision: 'binary' });
    expect([bits.rows, bits.dim, bits.row(1)]).toEqual([2, 64, new Uint8Array(8).fill(0b10101010)]);
    const bytes = await calls.embed(['x'], { precision: 'int8' });
    expect(bytes.row(0).subarray(0, 2)).toEqual(Int8Array.of(127, -127));
  });

  it('refuses unknown poolings and other checkpoints by name', async () => {
    const { calls } = using();
    await expect(calls.embed('x', { pooling: 'first' as 'cls' })).rejects.toThrow(/lasttoken; it is 'first'/);
    await expect(calls.embed('x', { pooling: [] })).rejects.toThrow(RangeError);
    await expect(calls.embed('', {})).rejects.toThrow('Text 0 is empty');
    await expect(
      using({
        chains: { any: chainOf([{ ...poolingModule([]), kind: 'Dense' }], 64) },
        output: 'token_embeddings',
      }).calls.embed('x'),
    ).rejects.toThrow(/use embedMultiVector/);
    await expect(calls.embedMultiVector('x', { kind: 'query' })).rejects.toThrow(/multi-vector.*use embed\./);
  });
});
