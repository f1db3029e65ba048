import { describe, expect, it } from 'vitest';
import { ModelFileError } from '../api/errors';
import { fileOf, safetensorsBytes } from '../formats/fixtures';
import { fieldsOf } from '../formats/json-fields';
import type { ModelFiles } from '../formats/model-files';
import { declaredModulePlaces, declaredPlaces } from './build';
import { readModernBert } from './fixtures/modernbert';
import { converted, convertedToVersion1 } from './fixtures/quantized';
import { readDense } from './modules/dense';
import { checkModuleWeights, loadWeights } from './weights';

const CONFIG = {
  model_type: 'modernbert',
  architectures: ['ModernBertForMaskedLM'],
  vocab_size: 77,
  hidden_size: 64,
  intermediate_size: 96,
  num_hidden_layers: 2,
  num_attention_heads: 2,
};
const ALL = new Set(['model.embeddings.tok_embeddings.weight', 'head.dense.weight']);

type Shapes = [name: string, shape: number[]][];

/** By config.json. */
function shapesOf(json: object = CONFIG): Shapes {
  const { family, config } = readModernBert(json);
  return [...declaredPlaces(family, config, 'f32', ALL)].map(([name, { shape }]) => [name, shape]);
}

function fileWith(shapes: Shapes): Uint8Array {
  let at = 0;
  const entries = shapes.map(([name, shape]) => {
    const begin = at;
    at += 4 * shape.reduce((a, b) => a * b, 1);
    return [name, { dtype: 'F32', shape, data_offsets: [begin, at] }];
  });
  return safetensorsBytes(Object.fromEntries(entries), new Uint8Array(at));
}

const filesOf = (contents: Record<string, Uint8Array>): ModelFiles => ({
  where: 'the test',
  open: async (name) => (contents[name] ? fileOf(contents[name], { name }) : undefined),
});

/** Loads without a GPU; resolves to the error, and where the tensors would have gone, if that was decided. */
async function load(json: object, files: ModelFiles) {
  const { family, config } = readModernBert(json);
  let places: ReturnType<typeof declaredPlaces> | undefined;
  const error = await loadWeights(
    files,
    { device: {} } as never,
    {
      declaredAs: (names, dtype) => declaredPlaces(family, config, dtype, names),
      dtypeOf: (_, stored) => stored ?? 'f32',
      placesOf(names, dtype) {
        places = declaredPlaces(family, config, dtype, names);
        throw new Error('all was as it should be');
      },
    },
    {},
  ).catch((reason: Error) => reason);
  return { error: error as Error, allocated: places !== undefined, places };
}

describe('what config.json asks for is compared with the file before anything is allocated', () => {
  const whole = { 'model.safetensors': fileWith(shapesOf()) };

  it('and allocated if it is there', async () => {
    expect(await load(CONFIG, filesOf(whole))).toMatchObject({ allocated: true });
  });

  it.each([
    [
      { vocab_size: 9_000_000 },
      /tok_embeddings\.weight' has shape \[77,64\]; by config\.json it must be \[9000000,64\]/,
    ],
    [{ intermediate_size: 200_000 }, /mlp\.Wi\.weight' has shape \[192,64\]; by config\.json it must be \[400000,64\]/],
    [{ hidden_size: 128 }, /has shape \[77,64\]; by config\.json it must be \[77,128\]/],
    [{ num_hidden_layers: 900 }, /lacks 5388 of the tensors that config\.json asks for: model\.layers\.2\.attn_norm/],
    [{ tie_word_embeddings: false }, /lacks 1 of the tensors that config\.json asks for: decoder\.weight/],
  ])('%j', async (change, message) => {
    const { error, allocated } = await load({ ...CONFIG, ...change }, filesOf(whole));
    expect(error).toBeInstanceOf(ModelFileError);
    expect(error.message).toMatch(message);
    expect(allocated).toBe(false);
  });

  it('by the names of the index and the first shard, if there are several', async () => {
    const shapes = shapesOf();
    const half = shapes.length >> 1;
    const weight_map = Object.fromEntries(shapes.map(([name], i) => [name, i < half ? 'one' : 'two']));
    const shards = {
      'model.safetensors.index.json': new TextEncoder().encode(JSON.stringify({ weight_map })),
      one: fileWith(shapes.slice(0, half)),
      two: fileWith(shapes.slice(half)),
    };
    expect(await load(CONFIG, filesOf(shards))).toMatchObject({ allocated: true });
    const more = await load({ ...CONFIG, num_hidden_layers: 3 }, filesOf(shards));
    expect(more.error.message).toMatch(/lacks 6 of the tensors/);
    const larger = await load({ ...CONFIG, vocab_size: 9_000_000 }, filesOf(shards));
    expect(larger.error.message).toMatch(/by config\.json it must be \[9000000,64\]/);
    expect([more.allocated, larger.allocated]).toEqual([false, false]);
  });
});

describe('the table of q4 files, of a source or of the store,', () => {
  const files = filesOf({
    'config.json': new TextEncoder().encode(JSON.stringify(CONFIG)),
    'model.safetensors': fileWith(shapesOf()),
  });
  it.each([
    [1, 'q8'],
    [2, 'q4'],
  ])('is in version %i %s', async (version, table) => {
    const bytes = await (version === 1 ? convertedToVersion1(files) : converted(files, 'q4'));
    for (const isPrepared of [false, true]) {
      const { places, error } = await load(CONFIG, {
        where: 'the test',
        open: async (name) =>
          name === 'model.safetensors' ? Object.assign(fileOf(bytes, { name }), { isPrepared }) : undefined,
      });
      expect(error.message).toBe('all was as it should be');
      expect(places?.get('model.embeddings.tok_embeddings.weight')?.dtype).toBe(table);
      expect(places?.get('model.layers.0.attn.Wqkv.weight')?.dtype).toBe('q4');
    }
  });
});

describe("a module's own file", () => {
  const check = (out_features: number, contents: Record<string, Uint8Array>) => {
    const dense = readDense(fieldsOf('config.json', { in_features: 64, out_features }), '2_Dense', {
      feature: 'sentence_embedding',
      columns: 64,
      hasLayers: false,
    });
    return checkModuleWeights(filesOf(contents), declaredModulePlaces([dense]), {});
  };
  const fileOfShape = (...shapes: Shapes) => ({ '2_Dense/model.safetensors': fileWith(shapes) });

  it('is checked by its header if its config.json asks for much', async () => {
    await expect(check(262_144, fileOfShape(['linear.weight', [32, 64]], ['linear.bias', [262_144]]))).rejects.toThrow(
      /2_Dense\/model\.safetensors: tensor 'linear\.weight' has shape \[32,64\]; by config\.json it must be \[262144,64\]/,
    );
    await expect(check(262_144, fileOfShape(['linear.weight', [32, 64]]))).rejects.toThrow(
      /has no tensor 'linear\.bias', which 2_Dense\/config\.json asks for/,
    );
    await expect(check(262_144, {})).rejects.toThrow(/There is no 2_Dense\/model\.safetensors/);
    await check(262_144, fileOfShape(['linear.weight', [262_144, 64]], ['linear.bias', [262_144]]));
  });

  it('is not opened for little', async () => {
    await check(32, {});
  });
});
