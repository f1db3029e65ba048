import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import family from '../../tools/goldens/family.json';
import { makeCheckpoint } from '../../tools/make-checkpoint.mjs';
import type { Model } from '../api';
import { safetensorsBytes } from '../files/fixtures';
import { loadModel } from '../node';
import { type Golden, maxDifference, nanoTexts, publicModel, readGolden } from './fixtures/golden';

/**
 * A tiny twin of each config in the family, from its own files, against outputs of an independent implementation (tools/goldens): hidden
 * states and logits, or embeddings of texts with poolings, Dense modules and ColBERT's encoding.
 */
const TOLERANCE = 2e-4;
type Twin = (typeof family)[number];

const TEXTS = [0, 2, 3, 5].map((i) => nanoTexts()[i]);

/** The twin's folder as the Hub has it. */
function folderOf(twin: Twin, golden: Golden): string {
  const folder = mkdtempSync(join(tmpdir(), `family-${twin.name}-`));
  const { seed, config } = twin;
  makeCheckpoint({ seed, config: { max_position_embeddings: 512, ...config }, task: twin.task as 'mlm' }, folder);
  const write = (name: string, json: unknown) => writeFileSync(join(folder, name), JSON.stringify(json));
  const modules = [{ path: '', type: 'sentence_transformers.models.Transformer' }];
  if (twin.pooling) {
    mkdirSync(join(folder, '1_Pooling'));
    write('1_Pooling/config.json', { word_embedding_dimension: config.hidden_size, ...twin.pooling });
    modules.push({ path: '1_Pooling', type: 'sentence_transformers.models.Pooling' });
  }
  let dense = 0;
  for (const module of twin.modules ?? []) {
    const path = `${modules.length}_${typeof module === 'string' ? module : 'Dense'}`;
    if (typeof module !== 'string') {
      mkdirSync(join(folder, path));
      write(`${path}/config.json`, module);
      const bias = module.bias ? golden.floats(`dense.${dense}.bias`) : undefined;
      writeFileSync(join(folder, path, 'model.safetensors'), linearFile(golden.floats(`dense.${dense}.weight`), bias));
      dense++;
    }
    modules.push({
      path,
      type: `${twin.pooling ? 'sentence_transformers.models' : 'pylate.models.Dense'}.${path.slice(2)}`,
    });
  }
  if (modules.length > 1) write('modules.json', modules);
  if (twin.multi_vector) write('config_sentence_transformers.json', twin.multi_vector);
  if (twin.task === 'encoder') {
    copyFileSync(join(publicModel('nano'), 'tokenizer_config.json'), join(folder, 'tokenizer_config.json'));
    const tokenizer = JSON.parse(readFileSync(join(publicModel('nano'), 'tokenizer.json'), 'utf8'));
    for (const [i, content] of ['[Q] ', '[D] '].entries()) {
      tokenizer.added_tokens.push({
        ...tokenizer.added_tokens.at(-1),
        id: 16384 + i,
        content,
        lstrip: false,
        special: false,
      });
    }
    write('tokenizer.json', tokenizer);
  }
  return folder;
}

type Floats = ReturnType<Golden['floats']>;
function linearFile(weight: Floats, bias: Floats | undefined) {
  const data = Float32Array.of(...weight.data, ...(bias?.data ?? []));
  const end = weight.data.length * 4;
  return safetensorsBytes(
    {
      'linear.weight': { dtype: 'F32', shape: weight.shape, data_offsets: [0, end] },
      ...(bias && { 'linear.bias': { dtype: 'F32', shape: bias.shape, data_offsets: [end, data.byteLength] } }),
    },
    new Uint8Array(data.buffer),
  );
}

it.each(family)('$name ($like)', async (twin) => {
  const golden = readGolden(`family/${twin.name}`);
  const model = await loadModel(folderOf(twin, golden), { dtype: 'f32' });
  try {
    if (twin.multi_vector) await expectMultiVectors(model, golden);
    else if (twin.pooling) await expectEmbeddings(model, golden);
    else await expectOutputs(model, golden);
  } finally {
    await model.dispose();
  }
});

async function expectOutputs(model: Model, golden: Golden) {
  const outputs = await model.forward(golden.batch, { outputs: ['last_hidden_state', 'logits'] });
  const { shape, data } = golden.floats('logits');
  expect(maxDifference(outputs.last_hidden_state!.data, golden.floats('last_hidden_state').data)).toBeLessThan(
    TOLERANCE,
  );
  expect(outputs.logits!.shape[1]).toBe(shape[1]);
  expect(maxDifference(outputs.logits!.data.slice(-data.length), data)).toBeLessThan(TOLERANCE); // mlm: of the last rows
}

async function expectEmbeddings(model: Model, golden: Golden) {
  const { data, shape } = golden.floats('embeddings');
  const embeddings = await model.embed(TEXTS);
  expect([embeddings.rows, embeddings.dim]).toEqual(shape);
  expect(model.info.embeddingSize).toBe(shape[1]);
  expect(maxDifference(embeddings.data, data)).toBeLessThan(TOLERANCE);

  const short = await model.embed(TEXTS, { dimensions: 10 });
  for (let r = 0; r < embeddings.rows; r++) {
    const cut = embeddings.row(r).slice(0, 10);
    const length = Math.hypot(...cut);
    expect(
      maxDifference(
        short.row(r),
        cut.map((x) => x / length),
      ),
    ).toBeLessThan(1e-6);
  }
}

async function expectMultiVectors(model: Model, golden: Golden) {
  expect(model.info).toMatchObject({
    similarity: 'MaxSim',
    embeddingSize: 16,
    multiVector: { queryLength: 32, documentLength: 64 },
  });
  for (const kind of ['query', 'document'] as const) {
    const vectors = await model.embedMultiVector(TEXTS, { kind, truncate: true });
    for (const [i, { data, rows, dim, ids, offsets }] of vectors.entries()) {
      const expected = golden.floats(`${kind}.${i}`);
      expect([...ids]).toEqual([...golden.ints(`${kind}.${i}.ids`)]);
      expect([rows, dim, offsets.length]).toEqual([...expected.shape, expected.shape[0]]);
      expect(maxDifference(data, expected.data)).toBeLessThan(TOLERANCE);
    }
    const [, , , { ids, offsets }] = vectors;
    expect(TEXTS[3].slice(...offsets[ids.length - 2])).toMatch(/^\w+$/);
    await expect(model.embedMultiVector(TEXTS, { kind })).rejects.toThrow(
      /^Text 3 has 411 tokens with its prefix, a (query|document) at most/,
    );
  }
  await expect(model.embed(TEXTS)).rejects.toThrow(/use embedMultiVector/);
}
