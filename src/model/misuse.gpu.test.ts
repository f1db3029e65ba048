import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TokenBatch } from '../api/calls';
import { UnsupportedModelError } from '../api/errors';
import type { Model } from '../api/types';
import { loadTestModel } from '../session/fixtures';
import { checkpointFolder, nanoTexts, publicModel, readGolden } from './fixtures/golden';

describe('a model that is asked for what cannot be', () => {
  let model: Model;
  beforeAll(async () => {
    model = await loadTestModel(publicModel('nano'), { arithmetic: 'f32', maxTokensPerPass: 1024 });
  });
  afterAll(() => model.dispose());

  const batch = (inputIds: unknown, lengths: unknown = [1]) => ({ inputIds, lengths }) as TokenBatch;
  const bad: [string, () => Promise<unknown>, new () => Error, RegExp][] = [
    [
      'an id above the vocabulary',
      () => model.forward(batch([1, 16384], [2])),
      RangeError,
      /inputIds\[1\] is 16384; .* 0 to 16383/,
    ],
    ['a negative id', () => model.forward(batch([-1])), RangeError, /inputIds\[0\] is -1/],
    ['an id that is no integer', () => model.forward(batch([0.5])), TypeError, /inputIds\[0\] is 0.5/],
    ['an empty batch', () => model.forward(batch([], [])), RangeError, /batch is empty/],
    ['an empty sequence', () => model.forward(batch([1], [1, 0])), RangeError, /lengths\[1\] is 0/],
    ['lengths that do not add up', () => model.forward(batch([1], [2])), RangeError, /add up to 2/],
    [
      'too many ids',
      () => model.forward(batch(new Uint32Array(8193), [8193])),
      RangeError,
      /8193 tokens, the model's limit is 8192/,
    ],
    [
      'more than a pass holds',
      () => model.forward(batch(new Uint32Array(1025), [1025])),
      RangeError,
      /1025 tokens.* 1024/,
    ],
    ['a row that is not there', () => model.forward(batch([1]), { rows: [1] }), RangeError, /rows\[0\] is 1/],
    [
      'an unknown output',
      () => model.forward(batch([1]), { outputs: ['attentions' as never] }),
      RangeError,
      /Unknown output 'attentions'/,
    ],
    ['an empty text', () => model.embed(''), RangeError, /Text 0 is empty/],
    ['no targets', () => model.fillMask('[MASK]', { targets: [] }), RangeError, /list is empty/],
    ['something that is no text', () => model.embed([5 as never]), TypeError, /Text 0 must be a string, it is number/],
    [
      'a text that is too long',
      () => model.embed(' the'.repeat(9000)),
      RangeError,
      /Text 0 has 900\d tokens, the model's limit is 8192/,
    ],
    ['a text without a mask', () => model.fillMask('No mask.'), RangeError, /Text 0 has no \[MASK\]/],
    [
      'no candidates',
      () => model.fillMask('[MASK]', { topK: 0 }),
      RangeError,
      /topK must be an integer from 1 to .*16384, it is 0/,
    ],
    [
      'classes of a masked LM',
      () => model.classify('text'),
      UnsupportedModelError,
      /classify needs a sequence classifier/,
    ],
  ];

  it.each(bad)('%s: a clear error, and the model works on', async (_, call, type, message) => {
    const attempt = (async () => call())();
    await expect(attempt).rejects.toThrow(type);
    await expect(attempt).rejects.toThrow(message);
    const { last_hidden_state } = await model.forward(batch([5, 6, 7], [3]));
    expect(last_hidden_state?.shape).toEqual([3, 256]);
  });

  it('answers as before after all of that', async () => {
    const [[{ candidates }]] = await model.fillMask([nanoTexts()[0]]);
    expect(candidates[0].tokenId).toBe(readGolden('nano').ints('top_logit_ids')[0]);
  });

  it('rejects an aborted call and answers the next', async () => {
    const controller = new AbortController();
    const long = model.forward(batch(new Uint32Array(1024), [1024]), { signal: controller.signal });
    controller.abort();
    await expect(long).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }));
    await expect(model.forward(batch([1]))).resolves.toBeDefined();
  });
});

describe('a model of at most 32 tokens', () => {
  let model: Model;
  beforeAll(async () => {
    const folder = checkpointFolder('tiny-mlm');
    const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'));
    const files = {
      'config.json': new Blob([JSON.stringify({ ...config, max_position_embeddings: 32 })]),
      'model.safetensors': new Blob([readFileSync(join(folder, 'model.safetensors'))]),
    };
    model = await loadTestModel(files, { dtype: 'f32', arithmetic: 'f32' });
  });

  it('cuts sequences to the limit where asked to, and gives what the shorter ones give', async () => {
    const inputIds = Uint32Array.from({ length: 103 }, (_, i) => (i * 31) % 512);
    const long = { inputIds, lengths: Uint32Array.of(100, 3) };
    await expect(model.forward(long)).rejects.toThrow("Sequence 0 has 100 tokens, the model's limit is 32.");
    const cut = await model.forward(long, { truncate: true });
    const short = await model.forward({
      inputIds: Uint32Array.of(...inputIds.subarray(0, 32), ...inputIds.subarray(100)),
      lengths: Uint32Array.of(32, 3),
    });
    expect(cut.last_hidden_state?.shape).toEqual([35, 128]);
    expect(cut.last_hidden_state?.data).toEqual(short.last_hidden_state?.data);
  });

  it('rejects what waits and what comes when it is disposed, and can be disposed again', async () => {
    const batch = { inputIds: new Uint32Array(600).fill(9), lengths: new Uint32Array(20).fill(30) };
    const waiting = model.forward(batch);
    waiting.catch(() => {});
    await model.dispose();
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
    await expect(model.forward(batch)).rejects.toMatchObject({ name: 'AbortError' });
    await expect(model.forward(batch)).rejects.toThrow(/disposed/);
    await model.dispose();
  });
});
