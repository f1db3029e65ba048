import { describe, expect, it } from 'vitest';
import type { Model } from '../api/types';
import { withModel } from '../session/fixtures';
import { CASES, folderOf, RUNS, readCase } from './calls';

/** Checkpoints that sentence-transformers, PyLate and transformers saved compute what those libraries compute from them. */

const F32 = { dtype: 'f32', arithmetic: 'f32' } as const;

/** A model's kernels take seconds to compile on SwiftShader and in the designs of cards: there, a checkpoint of each architecture. What others have besides does not depend on them. */
const ARCHITECTURES =
  'bert deberta-v2 deberta-v3 distilbert electra eurobert gte jina-v3 mpnet nomic-bert roberta st-mean xlm-roberta'.split(
    ' ',
  );
const { GPU_ADAPTER, GPU_PROFILE } = process.env;
const TESTED = GPU_ADAPTER === 'swiftshader' || GPU_PROFILE ? ARCHITECTURES : CASES;

it('stripTexts: true strips where the version that saved the checkpoint does not, false keeps where it strips', async () => {
  const strippedAlike = (folder: string, stripTexts: boolean) =>
    withModel(`${folderOf('whitespace')}/${folder}`, { ...F32, stripTexts }, async (model: Model) => {
      const [given, stripped] = [await model.embed('  two before\n'), await model.embed('two before')];
      return given.data.every((x, i) => x === stripped.data[i]);
    });
  expect(await strippedAlike('st6', true)).toBe(true);
  expect(await strippedAlike('st5', false)).toBe(false);
});

describe.each(TESTED)('%s', (name) => {
  const { about, calls } = readCase(name);
  const folders = [...new Set(calls.map(({ folder = '' }) => folder))];
  it.each(folders)(`${about} %s`, async (folder) => {
    const own = calls.filter((call) => (call.folder ?? '') === folder);
    expect(own.length).toBeGreaterThan(0);
    await withModel(folder ? `${folderOf(name)}/${folder}` : folderOf(name), F32, async (model: Model) => {
      for (const call of own) await RUNS[call.call](model, call);
    });
  });
});
