import { describe, expect, it } from 'vitest';
import { ModelFileError, UnsupportedModelError } from '../../api/errors';
import { convertFile } from '../../formats/convert';
import { dequantize } from '../../formats/quantize';
import { readJson } from '../../formats/read';
import { readSafetensors, safetensorsHeader } from '../../formats/safetensors';
import { openFiles } from '../../sources/source';
import { readAdapter } from './adapter';
import { mergedFiles } from './merge';

type Tensors = Record<string, [shape: number[], values: number[]]>;

function weightsOf(tensors: Tensors): Blob {
  const entries = Object.entries(tensors).map(([name, [shape, { length }]]) => ({
    name,
    dtype: 'F32',
    shape,
    bytes: 4 * length,
  }));
  const values = Object.values(tensors).map(([, values]) => Float32Array.from(values));
  return new Blob([safetensorsHeader(entries, {}).header as Uint8Array<ArrayBuffer>, ...values]);
}
const json = (value: unknown) => new Blob([JSON.stringify(value)]);

/** Counts from 1 on. */
const count = (n: number, step = 1) => Array.from({ length: n }, (_, i) => (i + 1) * step);

const BASE: Tensors = {
  'model.table.weight': [[3, 2], count(6)],
  'model.layers.0.Wo.weight': [[2, 3], count(6)],
  'model.layers.0.Wo.bias': [[2], [1, 2]],
  'model.norm.weight': [[2], [1, 1]],
};
const baseFiles = (tensors = BASE, config = {}) =>
  openFiles({
    'config.json': json({ architectures: ['ModernBertForMaskedLM'], ...config }),
    'tokenizer.json': json('the base'),
    'model.safetensors': weightsOf(tensors),
  });

const A = 'base_model.model.model.layers.0.Wo.lora_A.weight';
const B = 'base_model.model.model.layers.0.Wo.lora_B.weight';
const LORA: Tensors = {
  [A]: [
    [1, 3],
    [1, 2, 3],
  ],
  [B]: [
    [2, 1],
    [10, 20],
  ],
};
/** Of the embedding table. */
const TABLE: Tensors = {
  'model.table.lora_embedding_A': [
    [1, 3],
    [1, 2, 3],
  ],
  'model.table.lora_embedding_B': [
    [2, 1],
    [1, 10],
  ],
};

const adapterOf = (config: object = {}, tensors: Tensors = LORA, files: Record<string, Blob> = {}) =>
  readAdapter(
    openFiles({
      'adapter_config.json': json({ peft_type: 'LORA', r: 1, lora_alpha: 2, ...config }),
      'adapter_model.safetensors': weightsOf(tensors),
      ...files,
    }),
    {},
  );

/** Every tensor of a file. */
async function valuesOf(blobs: ReturnType<typeof openFiles>, name = 'model.safetensors') {
  const found: Record<string, number[]> = {};
  await readSafetensors((await blobs.open(name))!, {
    header: (tensors) => new Set(tensors.map((tensor) => tensor.name)),
    chunk({ name, dtype }, _, bytes) {
      const own = bytes.slice().buffer;
      found[name] = [...(dtype === 'F32' ? new Float32Array(own) : new Uint8Array(own))];
    },
  });
  return found;
}
const merged = async (...given: Parameters<typeof adapterOf>) =>
  valuesOf(mergedFiles(baseFiles(), await adapterOf(...given)));

const PLAIN = [21, 42, 63, 44, 85, 126]; // 1 … 6 plus 2 · [10, 20]ᵀ · [1, 2, 3]

describe('the weights', () => {
  it('have scale · B · A added, whether or not both have the name of the encoder before theirs', async () => {
    const all = await merged();
    expect(all['model.layers.0.Wo.weight']).toEqual(PLAIN);
    expect(all['model.table.weight']).toEqual(count(6));
    const bare = Object.fromEntries(
      Object.entries(BASE).map(([name, tensor]) => [name.slice('model.'.length), tensor]),
    );
    expect((await valuesOf(mergedFiles(baseFiles(bare), await adapterOf())))['layers.0.Wo.weight']).toEqual(PLAIN);
    const short = Object.fromEntries(
      Object.entries(LORA).map(([name, tensor]) => [name.replace('model.model.', 'model.'), tensor]),
    );
    expect((await merged({}, short))['model.layers.0.Wo.weight']).toEqual(PLAIN);
  });

  it.each([
    ['use_rslora', { r: 1, use_rslora: true }, 2],
    ['alpha_pattern', { alpha_pattern: { 'other.Wo': 7, 'layers.\\d.Wo': 4, Wo: 9 } }, 4],
    ['a pattern for a part of a name only', { alpha_pattern: { o: 7, layers: 7 } }, 2],
    ['a pattern from the start of the name', { alpha_pattern: { '^layers.*': 7, '^model.*': 4 } }, 4],
    ['a pattern with a choice', { alpha_pattern: { 'layers\\.\\d+\\.(Wi|Wo)': 4 } }, 4],
    ['rank_pattern', { r: 8, rank_pattern: { Wo: 1 } }, 2],
    ['fan_in_fan_out, which a Linear ignores', { fan_in_fan_out: true }, 2],
  ])('are scaled by %s', async (_, config, scale) => {
    expect((await merged(config))['model.layers.0.Wo.weight']).toEqual(
      PLAIN.map((x, i) => i + 1 + ((x - i - 1) * scale) / 2),
    );
  });

  it('take whole tensors, and new ones at the end', async () => {
    const classifier = 'base_model.model.classifier.weight';
    const norm = 'base_model.model.model.norm.weight';
    const replaced = 'base_model.model.classifier.original_module.bias'; // with bias 'all' peft saves it
    const tensors = {
      ...LORA,
      [norm]: [[2], [3, 4]],
      [classifier]: [[4, 2], count(8)],
      [replaced]: [[4], count(4)],
    } as Tensors;
    const config = { modules_to_save: ['classifier', 'norm'], task_type: 'SEQ_CLS' };
    const files = mergedFiles(baseFiles(), await adapterOf(config, tensors));
    expect(await readJson(files, 'config.json')).toEqual({
      architectures: ['ModernBertForSequenceClassification'],
      num_labels: 4,
    });
    const all = await valuesOf(files);
    expect([all['model.norm.weight'], all['classifier.weight']]).toEqual([[3, 4], count(8)]);
    expect(files.added?.()).toEqual(['classifier.weight']);
  });

  it('keep the class of the base if they are for features, but for one whose output shares the changed table', async () => {
    const config = { task_type: 'FEATURE_EXTRACTION' };
    const classes = [LORA, TABLE].map(async (tensors) =>
      readJson(mergedFiles(baseFiles(), await adapterOf(config, tensors)), 'config.json'),
    );
    expect(await Promise.all(classes)).toEqual([
      { architectures: ['ModernBertForMaskedLM'] },
      { architectures: ['ModernBertModel'] },
    ]);
  });

  it('keep the labels of a base that has as many', async () => {
    const id2label = { 0: 'no', 1: 'yes' };
    const classifier: Tensors = { 'classifier.weight': [[2, 2], count(4)] };
    const adapter = await adapterOf({ modules_to_save: ['classifier'], task_type: 'SEQ_CLS' }, classifier);
    expect(await readJson(mergedFiles(baseFiles(BASE, { id2label }), adapter), 'config.json')).toMatchObject({
      id2label,
    });
  });

  it('may lie in shards: new tensors go to the first', async () => {
    const shards = { 'a.safetensors': ['model.table.weight'], 'b.safetensors': Object.keys(BASE).slice(1) };
    const weight_map = Object.fromEntries(
      Object.entries(shards).flatMap(([file, names]) => names.map((name) => [name, file])),
    );
    const files = Object.entries(shards).map(([file, names]) => [
      file,
      weightsOf(Object.fromEntries(names.map((name) => [name, BASE[name]]))),
    ]);
    const base = openFiles({
      ...Object.fromEntries(files),
      'model.safetensors.index.json': json({ weight_map }),
      'config.json': json({}),
    });
    const tensors: Tensors = { ...LORA, 'head.bias': [[1], [5]] };
    const all = mergedFiles(base, await adapterOf({ modules_to_save: ['head'] }, tensors));
    expect(await readJson(all, 'model.safetensors.index.json')).toEqual({
      weight_map: { ...weight_map, 'head.bias': 'a.safetensors' },
    });
    expect(await valuesOf(all, 'a.safetensors')).toEqual({ 'model.table.weight': count(6), 'head.bias': [5] });
    expect((await valuesOf(all, 'b.safetensors'))['model.layers.0.Wo.weight']).toEqual(PLAIN);
  });

  it.each([
    ['q8', 'q8', 0.03],
    ['q4', 'q4', 0.3],
    ['q4', 'q8', 0.03], // a table of version 1
  ] as const)('of a base that is converted to %s, this tensor to %s, are so again', async (to, own, most) => {
    const name = 'model.layers.0.Wo.weight';
    const values = Array.from({ length: 128 }, (_, i) => Math.sin(i));
    const file = await convertFile(
      { name: 'model.safetensors', size: undefined, stream: weightsOf({ [name]: [[2, 64], values] }).stream() },
      to,
      () => () => own,
    );
    const blob = await new Response(file.stream as ReadableStream<Uint8Array<ArrayBuffer>>).blob();
    const wide: Tensors = {
      [A]: [[1, 64], values.slice(64)],
      [B]: [
        [2, 1],
        [1, -1],
      ],
    };
    const all = await valuesOf(mergedFiles(openFiles({ 'model.safetensors': blob }), await adapterOf({}, wide)));
    const scales = new Uint16Array(Uint8Array.from(all[`${name}.scales`]).buffer);
    const got = dequantize(Uint8Array.from(all[name]), scales, own);
    const must = values.map((x, i) => x + 2 * values[64 + (i % 64)] * (i < 64 ? 1 : -1));
    expect(Math.max(...must.map((x, i) => Math.abs(x - got[i])))).toBeLessThan(most);
  });
});

it('the tokenizer is the adapter’s if it has one, and so are all of the files of sentence-transformers', async () => {
  const own = mergedFiles(baseFiles(), await adapterOf());
  expect(await readJson(own, 'tokenizer.json')).toBe('the base');
  const files = {
    'tokenizer.json': json('the adapter'),
    'modules.json': json([{ path: '1_Pooling' }]),
    '1_Pooling/config.json': json(1),
  };
  const all = mergedFiles(baseFiles(), await adapterOf({}, LORA, files));
  expect(await Promise.all(['tokenizer.json', '1_Pooling/config.json'].map((name) => readJson(all, name)))).toEqual([
    'the adapter',
    1,
  ]);
});

describe('refuses', () => {
  it.each<[string, object]>([
    ['peft_type = "IA3"', { peft_type: 'IA3' }],
    ['task_type = "CAUSAL_LM"', { task_type: 'CAUSAL_LM' }],
    ['use_qalora = true', { use_qalora: true }],
    ['use_bdlora = {"nblocks":2}', { use_bdlora: { nblocks: 2 } }],
    ['alora_invocation_tokens = [1]', { alora_invocation_tokens: [1] }],
    ['arrow_config = {"top_k":3}', { arrow_config: { top_k: 3 } }],
    ['kasa_config = {"beta":1}', { kasa_config: { beta: 1 } }],
    ['velora_config = {"a":1}', { velora_config: { a: 1 } }],
    ['monteclora_config = {"a":1}', { monteclora_config: { a: 1 } }],
    ['layer_replication = [[0,1]]', { layer_replication: [[0, 1]] }],
    ['target_parameters = ["mlp.weight"]', { target_parameters: ['mlp.weight'] }],
    ['trainable_token_indices = [5]', { trainable_token_indices: [5] }],
    ['init_lora_weights = "pissa_niter_4"', { init_lora_weights: 'pissa_niter_4' }],
    ['alpha_pattern[…] = "(a+)+"', { alpha_pattern: { '(a+)+': 2 } }],
    ['rank_pattern[…] = "(a)\\\\1"', { rank_pattern: { '(a)\\1': 2 } }],
    ['rank_pattern[…] = "a*a*a*"', { rank_pattern: { 'a*a*a*': 2 } }],
    ['init_lora_weights = "olora"', { init_lora_weights: 'olora' }],
  ])('adapter_config.json: %s', async (text, config) => {
    const refused = adapterOf(config);
    await expect(refused).rejects.toThrow(UnsupportedModelError);
    await expect(refused).rejects.toThrow(`adapter_config.json in the given files: ${text} is not supported`);
  });

  it('but not what only says how the training began', async () => {
    const config = {
      init_lora_weights: 'gaussian',
      loftq_config: {},
      qalora_group_size: 16,
      lora_dropout: 0.1,
      task_type: null,
    };
    expect((await merged(config))['model.layers.0.Wo.weight']).toEqual(PLAIN);
  });

  const MISFITS: [string, object, Tensors, RegExp][] = [
    ['another rank', { r: 2 }, LORA, /Wo" has shapes \[1,3\] and \[2,1\]; by adapter_config\.json its rank is 2/],
    [
      'a matrix of another shape',
      {},
      { ...LORA, [A]: [[1, 4], count(4)] },
      /lora_A\.weight" has shape \[1,4\]; the base's 'model\.layers\.0\.Wo\.weight' has \[2,3\], so it must be \[1,3\]/,
    ],
    ['half an adapter', {}, { [A]: LORA[A] }, /has no lora_B of "model\.layers\.0\.Wo"/],
    ['the other half', {}, { [B]: LORA[B] }, /has no lora_A of "model\.layers\.0\.Wo"/],
    [
      'a layer that the base lacks',
      {},
      { [A.replace('.0.', '.9.')]: LORA[A], [B.replace('.0.', '.9.')]: LORA[B] },
      /has no tensor 'model\.layers\.9\.Wo\.weight': is it the base/,
    ],
    [
      'a bias where the base has none',
      { lora_bias: true },
      { 'norm.lora_B.bias': [[2], [1, 2]] },
      /no tensor 'norm\.bias'/,
    ],
    [
      'a tensor of no kind',
      {},
      { ...LORA, 'layers.0.Wo.lora_C.weight': [[1], [1]] },
      /nothing is known to do with tensor "layers\.0\.Wo\.lora_C\.weight"/,
    ],
    [
      'a tensor that modules_to_save does not name',
      { modules_to_save: ['head'] },
      { 'classifier.weight': [[1], [1]] },
      /"classifier\.weight": it is no part of LoRA/,
    ],
    [
      'a bias that is not saved',
      { bias: 'none' },
      { ...LORA, 'model.layers.0.Wo.bias': [[2], [1, 2]] },
      /"model\.layers\.0\.Wo\.bias": it is no part/,
    ],
    [
      'lengths without DoRA',
      {},
      { ...LORA, 'model.layers.0.Wo.lora_magnitude_vector': [[2], [1, 2]] },
      /lora_magnitude_vector": it is no part/,
    ],
    ['DoRA without lengths', { use_dora: true }, LORA, /no lora_magnitude_vector of/],
    ['a wrong pattern', { alpha_pattern: { '(': 3 } }, LORA, /'\(' in alpha_pattern is not a regular expression/],
    ['no tensors', {}, {}, /adapter_model\.safetensors in the given files has no tensors/],
    [
      'a NaN',
      {},
      {
        ...LORA,
        [B]: [
          [2, 1],
          [Number.NaN, 1],
        ],
      },
      /adapter_model\.safetensors.*NaN/,
    ],
  ];
  it.each(MISFITS)('%s', async (_, config, tensors, message) => {
    const refused = merged(config, tensors);
    await expect(refused).rejects.toThrow(ModelFileError);
    await expect(refused).rejects.toThrow(message);
  });

  it('an adapter of the table that leaves a shared output as it was', async () => {
    const tied = baseFiles({ ...BASE, 'decoder.bias': [[3], [1, 2, 3]] });
    await expect(adapterOf({}, TABLE).then((adapter) => valuesOf(mergedFiles(tied, adapter)))).rejects.toThrow(
      /ensure_weight_tying is false/,
    );
    for (const config of [{ ensure_weight_tying: true }, { task_type: 'FEATURE_EXTRACTION' }]) {
      const all = await valuesOf(mergedFiles(tied, await adapterOf(config, TABLE)));
      expect(all['model.table.weight']).toEqual([3, 22, 7, 44, 11, 66]);
    }
  });

  it('a folder that is no adapter, and pickled weights, with the way out', async () => {
    await expect(readAdapter(baseFiles(), {})).rejects.toThrow(
      /^There is no adapter_config\.json in the given files.* as peft saves it\.$/,
    );
    const pickled = openFiles({ 'adapter_config.json': json({}), 'adapter_model.bin': new Blob(['x']) });
    await expect(readAdapter(pickled, {})).rejects.toThrow(
      /adapter_model\.bin, which is not safetensors: .*save_pretrained/,
    );
  });
});
