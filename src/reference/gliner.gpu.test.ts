import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Entity } from '../api/calls';
import type { Dtype } from '../api/types';
import { convertModel } from '../node';
import { loadTestModel, withModel } from '../session/fixtures';
import { CASES, folderOf, readCase } from './calls';

/** GLiNER checkpoints beside their reference cases: other dtypes, converted folders, files that are missing. */

const GLINER = CASES.filter((name) => name.startsWith('gliner-'));
const ALL = { threshold: 0, flat: false, multiLabel: true } as const;

const entitiesOf = (folder: string, name: string, options: object): Promise<Entity[][]> => {
  const { texts, labels } = readCase(name).calls[0];
  return withModel(folder, { arithmetic: 'f32', ...options }, (model) =>
    model.entities(texts as string[], labels!, { truncate: true, ...ALL }),
  );
};

const scores = (all: Entity[][]) =>
  new Map(
    all.flatMap((entities, i) =>
      entities.map(({ start, end, label, score }) => [`${i} ${start} ${end} ${label}`, score]),
    ),
  );

/** How far the scores of what both found are apart; most of it must be the same. */
function distance(a: Entity[][], b: Entity[][]): number {
  const [first, second] = [scores(a), scores(b)];
  const common = [...first.keys()].filter((key) => second.has(key));
  expect(common.length).toBeGreaterThan(first.size / 3);
  return common.reduce((most, key) => Math.max(most, Math.abs(first.get(key)! - second.get(key)!)), 0);
}

function copied(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'gliner-'));
  cpSync(folderOf(name), folder, { recursive: true });
  return folder;
}

describe.each(GLINER)('%s', (name) => {
  it('loads in every dtype, and converted to it', async () => {
    const exact = await entitiesOf(folderOf(name), name, { dtype: 'f32' });
    const most: Record<Exclude<Dtype, 'f32'>, number> = { f16: 0.02, q8: 0.1, q4: 0.7 };
    for (const [dtype, limit] of Object.entries(most) as [Exclude<Dtype, 'f32'>, number][]) {
      const found = await entitiesOf(folderOf(name), name, { dtype });
      expect(distance(exact, found), dtype).toBeLessThan(limit);
      expect(distance(exact, found), dtype).toBeGreaterThan(0);
      const folder = join(mkdtempSync(join(tmpdir(), 'gliner-')), 'converted');
      await convertModel(folderOf(name), folder, { dtype });
      const converted = distance(found, await entitiesOf(folder, name, { dtype }));
      expect(converted, `converted to ${dtype}`).toBeLessThan(dtype === 'f16' ? 0.01 : 1e-3); // whose vectors are f16 too
    }
  });
});

it('many texts in passes of few tokens are as one by one', async () => {
  for (const name of ['gliner-uni-token', 'gliner-bi-span']) {
    const { texts, labels } = readCase(name).calls[0];
    const many = Array.from({ length: 12 }, (_, i) => texts![i % 4] as string);
    await withModel(folderOf(name), { dtype: 'f32', maxTokensPerPass: 256 }, async (model) => {
      const together = await model.entities(many, labels!, { truncate: true, threshold: 0.1 });
      for (const [i, text] of many.entries()) {
        const [alone] = await model.entities([text], labels!, { truncate: true, threshold: 0.1 });
        expect(distance([together[i]], [alone])).toBeLessThan(1e-5);
      }
    });
  }
});

it('more labels than a kernel was compiled for', async () => {
  const name = 'gliner-bi-token';
  const labels = Array.from({ length: 70 }, (_, i) => `label ${i}`);
  await withModel(folderOf(name), { dtype: 'f32' }, async (model) => {
    const few = await model.entities(['A cat sat.'], labels.slice(60, 63), ALL);
    const many = await model.entities(['A cat sat.'], labels, ALL);
    expect(distance(few, many)).toBeLessThan(1e-5);
  });
});

describe('a folder', () => {
  it('without the tokenizer for labels says how to get it', async () => {
    const folder = copied('gliner-bi-token');
    rmSync(join(folder, 'labels_tokenizer'), { recursive: true });
    await expect(loadTestModel(folder)).rejects.toThrow(
      /no tokenizer.json in .* \(labels_tokenizer\): GLiNER 0.2.29 saves it/,
    );
  });

  it('with a copy of gliner_config.json as config.json', async () => {
    const folder = copied('gliner-uni-token');
    cpSync(join(folder, 'gliner_config.json'), join(folder, 'config.json'));
    await withModel(folder, {}, async (model) => expect(model.info.task).toBe('gliner'));
  });

  it('with pytorch_model.bin alone says what to do', async () => {
    const folder = copied('gliner-uni-span');
    rmSync(join(folder, 'model.safetensors'));
    writeFileSync(join(folder, 'pytorch_model.bin'), 'x');
    await expect(loadTestModel(folder)).rejects.toThrow(/pytorch_model.bin.*safe_serialization=True/);
  });

  it('that lacks a tensor of the head, or is asked to be something else', async () => {
    const folder = copied('gliner-uni-span');
    const config = JSON.parse(readFileSync(join(folder, 'gliner_config.json'), 'utf8'));
    writeFileSync(join(folder, 'gliner_config.json'), JSON.stringify({ ...config, num_rnn_layers: 2 }));
    await expect(loadTestModel(folder)).rejects.toThrow(/lacks 8 of the tensors .*rnn.lstm.weight_ih_l1/);
    await expect(loadTestModel(folderOf('gliner-uni-span'), { task: 'mlm' })).rejects.toThrow(
      "task must be one of gliner; it is 'mlm'.",
    );
  });
});
