import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { LoadOptions, Model } from '../api/types';
import { withShaders } from '../gpu/fixtures';
import { maxDifference } from '../model/fixtures/golden';
import { labelsOf, tinyModel } from '../tasks/fixtures';
import { loadTestModel } from './fixtures';

type Files = Record<string, Uint8Array<ArrayBuffer>>;

const readFiles = (folder: string): Files =>
  Object.fromEntries(
    ['config.json', 'tokenizer.json', 'tokenizer_config.json', 'model.safetensors'].map((file) => [
      file,
      new Uint8Array(readFileSync(join(folder, file))),
    ]),
  );

/** Writes a value everywhere into a tensor, whose name may have "model." before it. */
function fill({ 'model.safetensors': bytes }: Files, name: string, value: number): void {
  const view = new DataView(bytes.buffer);
  const start = 8 + Number(view.getBigUint64(0, true));
  const tensors = JSON.parse(new TextDecoder().decode(bytes.subarray(8, start)));
  const [from, to] = (tensors[`model.${name}`] ?? tensors[name]).data_offsets;
  for (let at = start + from; at < start + to; at += 4) view.setFloat32(at, value, true);
}

const texts = ['The first of two texts.', 'The second [MASK] text.'];
type Task = 'mlm' | 'encoder' | 'seqcls' | 'tokcls';

/** Loads a checkpoint whose first MLP has this weight in its norm: what comes out of it grows with its square. */
async function withOverflow(task: Task, weight: number, options: LoadOptions, use: (model: Model) => Promise<void>) {
  const folder = tinyModel(task, task === 'seqcls' || task === 'tokcls' ? labelsOf(['a', 'b', 'c']) : {});
  const files = readFiles(folder);
  fill(files, 'layers.0.mlp_norm.weight', weight);
  const blobs = Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, new Blob([bytes])]));
  const model = await loadTestModel(blobs, options);
  try {
    await use(model);
  } finally {
    await model.dispose();
  }
}

/** Its square is no f32. */
const HUGE = 1e25;

describe.each<[string, LoadOptions]>([
  ['f32', { dtype: 'f32' }],
  ['f16 weights', { dtype: 'f16', arithmetic: 'f32' }],
  ['int8', { dtype: 'q8', compute: 'int8', arithmetic: 'f32' }],
])('an overflow in %s is an error that names the text, never an answer', (_, options) => {
  const about = {
    name: 'NumericError',
    message: expect.stringMatching(/^(Text|Sequence|Document) 0 .*arithmetic 'f32'/),
  };

  it('in fillMask and forward', () =>
    withOverflow('mlm', HUGE, options, async (model) => {
      await expect(model.fillMask([texts[1]])).rejects.toMatchObject(about);
      await expect(model.fillMask(texts[1], { targets: ['of', 'the'] })).rejects.toMatchObject(about);
      const batch = { inputIds: Uint32Array.of(1, 2, 3), lengths: Uint32Array.of(3) };
      for (const output of ['last_hidden_state', 'hidden_states', 'logits'] as const) {
        await expect(model.forward(batch, { outputs: [output] })).rejects.toMatchObject(about);
      }
    }));

  it('in embed, by every pooling and precision', () =>
    withOverflow('encoder', HUGE, options, async (model) => {
      for (const pooling of ['cls', 'max', 'mean', 'lasttoken'] as const) {
        await expect(model.embed(texts, { pooling })).rejects.toMatchObject(about);
        await expect(model.embed(texts, { pooling, normalize: false })).rejects.toMatchObject(about);
      }
      for (const precision of ['int8', 'binary'] as const) {
        await expect(model.embed(texts, { precision })).rejects.toMatchObject(about);
      }
    }));

  it('in classify, rerank and classifyTokens', async () => {
    await withOverflow('seqcls', HUGE, options, async (model) => {
      await expect(model.classify(texts)).rejects.toMatchObject(about);
    });
    await withOverflow('tokcls', HUGE, options, async (model) => {
      await expect(model.classifyTokens(texts)).rejects.toMatchObject(about);
    });
  });
});

const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
afterEach(() => warn.mockClear());

/** f16 ends at 65504, so these overflow there and not in f32. */
const ONLY_F16 = 5000;

describe('where only f16 arithmetic overflows', () => {
  const expected = async (): Promise<Float32Array> => {
    let data: Float32Array = new Float32Array();
    await withOverflow('encoder', ONLY_F16, { dtype: 'f16', arithmetic: 'f32' }, async (model) => {
      ({ data } = await model.embed(texts));
    });
    return data;
  };

  it("the texts are computed with f32 if 'auto' chose f16, and soon all of them", async ({ skip }) => {
    const wanted = await expected();
    await withOverflow('encoder', ONLY_F16, { dtype: 'f16' }, async (model) => {
      skip(model.info.arithmetic !== 'f16', 'not for this device: it needs shader-f16');
      const { data } = await model.embed(texts);
      expect(maxDifference(data, wanted)).toBeLessThan(1e-6);
      await model.embed(Array(20).fill(texts[0]));
      expect(warn.mock.calls.flat()).toEqual([
        expect.stringMatching(/Text 0 overflows f16/),
        expect.stringMatching(/all are/),
      ]);
      expect(maxDifference((await model.embed(texts)).data, wanted)).toBeLessThan(1e-6);
    });
  });

  it('and the kernels for f32 fail, the next call tries them again', async ({ skip }) => {
    let fails = false;
    const gpu = withShaders((code) => (fails ? `${code} out of memory` : code));
    await withOverflow('encoder', ONLY_F16, { dtype: 'f16', gpu }, async (model) => {
      skip(model.info.arithmetic !== 'f16', 'not for this device: it needs shader-f16');
      fails = true;
      await expect(model.embed(texts)).rejects.toThrow(/does not compile/);
      fails = false;
      await expect(model.embed(texts)).resolves.toMatchObject({ rows: 2 });
    });
  });

  it('is an error that says so if the caller chose f16', async ({ skip }) => {
    await withOverflow('encoder', ONLY_F16, { dtype: 'f16' }, async ({ info }) =>
      skip(info.arithmetic !== 'f16', 'not for this device: it needs shader-f16'),
    );
    await withOverflow('encoder', ONLY_F16, { dtype: 'f16', arithmetic: 'f16' }, async (model) => {
      await expect(model.embed(texts)).rejects.toThrow(/Text 0 .* Load it with arithmetic: 'f32'/);
    });
  });
});

it('an arithmetic that does not exist is named, not compiled', async () => {
  const attempt = loadTestModel(tinyModel('encoder'), { arithmetic: 'f64' as never });
  await expect(attempt).rejects.toThrow(new RangeError("arithmetic must be one of auto, f16, f32; it is 'f64'."));
});
