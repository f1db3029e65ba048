import { expect, it } from 'vitest';
import type { ModelInfo } from '../../src/index';
import { type Encoder, embedDocuments, embedNames, PARTS } from './embed';

const { signal } = new AbortController();
/** Words are tokens; the vector of a text counts a and b. */
function encoder(maxTokens: number) {
  const embedded: unknown[] = [];
  const vectorOf = (text: string) => ['a', 'b'].map((word) => text.split(' ').filter((one) => one === word).length);
  const model = {
    info: { maxTokens } as ModelInfo,
    chunk: async (texts: string[], { maxTokens }: { maxTokens: number }) =>
      texts.map((text) => {
        const words = text.split(' ');
        const parts = Array.from({ length: Math.ceil(words.length / maxTokens) }, (_, i) =>
          words.slice(i * maxTokens, (i + 1) * maxTokens).join(' '),
        );
        return parts.map((text) => ({ text, start: 0, end: 0, tokens: 0 }));
      }),
    embed: async (texts: string[], { signal, ...options }: object & { signal?: AbortSignal }) => {
      embedded.push([texts, options]);
      const rows = texts.map((text) => Float32Array.from(vectorOf(text)));
      return { rows: rows.length, dim: 2, row: (i: number) => rows[i], embeddingSpace: 'words' };
    },
  };
  return { model: model as unknown as Encoder, embedded };
}

it('embeds the parts of long texts and takes their mean, of length 1', async () => {
  const { model, embedded } = encoder(3);
  const [one, two] = await embedDocuments(model, ['a', 'a a a b b b'], signal);
  expect([...one]).toEqual([1, 0]);
  expect([...two]).toEqual([expect.closeTo(Math.SQRT1_2), expect.closeTo(Math.SQRT1_2)]);
  expect(embedded).toEqual([[['a', 'a a a', 'b b b'], { kind: 'document', normalize: true, truncate: true }]]);
});

it('reads so many parts and no more', async () => {
  const { model, embedded } = encoder(1);
  const [vector] = await embedDocuments(model, [[...Array(PARTS).fill('a'), 'b', 'b'].join(' ')], signal);
  expect([...vector]).toEqual([1, 0]);
  expect((embedded[0] as [string[]])[0]).toHaveLength(PARTS);
});

it('embeds names as queries and names the space', async () => {
  const { model, embedded } = encoder(3);
  const { space, vectors } = await embedNames(model, ['a', 'b'], signal);
  expect(space).toBe('words');
  expect(vectors.map((vector) => [...vector])).toEqual([
    [1, 0],
    [0, 1],
  ]);
  expect(embedded).toEqual([[['a', 'b'], { kind: 'query', normalize: true, truncate: true }]]);
});
