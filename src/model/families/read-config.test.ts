import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ModelFileError, UnsupportedModelError } from '../../api/errors';
import type { Json } from '../../formats/json-fields';
import { folderOf } from '../../reference/calls';
import { alibiSlopes } from './jina-bert';
import { moreFamilies } from './more-families';
import { readModelConfig } from './registry';

/** config.json as transformers 5.24 saved it, with changes. */
const saved = (name: string, change: Json = {}): Json => ({
  ...JSON.parse(readFileSync(`${folderOf(name)}/config.json`, 'utf8')),
  ...change,
});
const read = async (name: string, change: Json = {}) => (await readModelConfig(saved(name, change))).config;

/** Every family but ModernBERT, by a reference checkpoint. */
const FAMILIES = [
  'bert',
  'roberta',
  'xlm-roberta',
  'heads-camembert/mlm',
  'electra',
  'mpnet',
  'nomic-bert',
  'gte',
  'jina-v3',
  'deberta-v3',
];
const WITH_ROPE = ['nomic-bert', 'gte', 'jina-v3', 'eurobert'];

const refuses = async (
  name: string,
  change: Json,
  error: typeof ModelFileError | typeof UnsupportedModelError,
  message: RegExp,
) => {
  await expect(read(name, change)).rejects.toThrow(error);
  await expect(read(name, change)).rejects.toThrow(message);
};

describe.each(FAMILIES)('%s', (name) => {
  it('refuses by name what it cannot compute', async () => {
    const unsupported = (change: Json, message: RegExp) => refuses(name, change, UnsupportedModelError, message);
    await unsupported({ is_decoder: true }, /is_decoder = true is not supported; only encoders, with false, are/);
    await unsupported({ add_cross_attention: true }, /add_cross_attention = true/);
    for (const type of ['relative_key', 'relative_key_query']) {
      await unsupported({ position_embedding_type: type }, RegExp(`position_embedding_type = "${type}".*absolute`));
    }
    await unsupported({ hidden_act: 'gelu_10' }, /hidden_act = "gelu_10".*known are gelu/);
    await unsupported({ hidden_size: 1024, num_attention_heads: 4, head_dim: null }, /at most 128/);
  });

  it('calls broken what makes no sense', async () => {
    const broken = (change: Json, message: RegExp) => refuses(name, change, ModelFileError, message);
    for (const key of ['vocab_size', 'hidden_size', 'num_attention_heads', 'num_hidden_layers', 'intermediate_size']) {
      await broken({ [key]: undefined }, RegExp(`${key} must be a number, it is missing`));
      await broken({ [key]: '24' }, RegExp(`${key} must be a number, it is "24"`));
      await broken({ [key]: 0 }, RegExp(`${key} must be a positive integer, it is 0`));
    }
    await broken({ max_position_embeddings: 1.5 }, /max_position_embeddings must be a positive integer, it is 1.5/);
    await broken(
      { num_attention_heads: 7, head_dim: null },
      /hidden_size \d+ is not a multiple of num_attention_heads 7/,
    );
    await broken({ layer_norm_eps: 0 }, /layer_norm_eps must be a number from 1e-30 to 1, it is 0/);
    await broken({ tie_word_embeddings: 'yes' }, /tie_word_embeddings must be true or false, it is "yes"/);
    await broken({ is_decoder: 'no' }, /is_decoder must be true or false/);
  });
});

describe.each(WITH_ROPE)('RoPE of %s', (name) => {
  it('reads its base and scaling, and refuses other scalings', async () => {
    const theta = async (change: Json) => (await read(name, change)) as unknown as { rope_theta: number };
    expect(await theta({ rope_parameters: { rope_type: 'default', rope_theta: 77 } })).toMatchObject({
      rope_theta: 77,
    });
    expect(await theta({ rope_parameters: null, rope_theta: 78 })).toMatchObject({ rope_theta: 78 });
    const yarn = { rope_parameters: { rope_type: 'yarn', factor: 4 } };
    await refuses(name, yarn, UnsupportedModelError, /rope_parameters.rope_type = "yarn".*only default, linear/);
    const scaled = (type: string, more: Json = {}) => ({
      rope_parameters: null,
      rope_theta: 78,
      rope_scaling: { type, factor: 2, ...more },
    });
    expect(await theta(scaled('linear'))).toMatchObject({ rope_theta: 78, rope_factor: 2 });
    // As in transformers, rope_scaling wins where both say something.
    const both = { ...scaled('linear'), rope_parameters: { rope_type: 'default', rope_theta: 77 } };
    expect(await theta(both)).toMatchObject({ rope_theta: 78, rope_factor: 2 });
    expect(await theta({ ...both, rope_scaling: {} })).toMatchObject({ rope_theta: 77 });
    await refuses(name, { partial_rotary_factor: 0.5 }, UnsupportedModelError, /partial_rotary_factor = 0.5/);
    await refuses(name, scaled('dynamic'), UnsupportedModelError, /rope_scaling.rope_type = "dynamic"/);
    await refuses(
      name,
      scaled('linear', { factor: 0 }),
      ModelFileError,
      /rope_scaling.factor must be positive, it is 0/,
    );
    await refuses(
      name,
      { rope_parameters: { rope_theta: -1 } },
      ModelFileError,
      /rope_theta must be positive, it is -1/,
    );
    await refuses(name, { rope_parameters: 5 }, ModelFileError, /rope_parameters must be an object, it is 5/);
    const odd = { hidden_size: 15, num_attention_heads: 3, num_key_value_heads: 3, head_dim: null };
    await refuses(name, odd, UnsupportedModelError, /head_dim = 5 is not supported; RoPE needs an even head_dim/);
  });
});

it("has transformers' defaults", async () => {
  const sizes = ['vocab_size', 'hidden_size', 'intermediate_size', 'num_hidden_layers', 'num_attention_heads'];
  const least = async (name: string, ...more: string[]) => {
    const all = saved(name);
    const kept = ['model_type', ...sizes, 'max_position_embeddings', ...more].map((key) => [key, all[key]]);
    return (await readModelConfig(Object.fromEntries(kept))).config;
  };
  const bert = { hidden_act: 'gelu', layer_norm_eps: 1e-12, tie_word_embeddings: true };
  expect(await least('bert')).toMatchObject({ ...bert, type_vocab_size: 2 });
  expect(await least('roberta')).toMatchObject({ ...bert, type_vocab_size: 2, padding_idx: 1 });
  expect(await least('mpnet')).toMatchObject({ ...bert, padding_idx: 1 });
  expect(await least('gte')).toMatchObject({ ...bert, type_vocab_size: 1, rope_theta: 160_000 });
  expect(await least('jina-v3')).toMatchObject({ layer_norm_eps: 1e-5, type_vocab_size: 1, rope_theta: 20_000 });
  expect(await least('nomic-bert')).toMatchObject({ hidden_act: 'silu', type_vocab_size: 2, rope_theta: 1000 });
  const llama = { hidden_act: 'silu', rms_norm_eps: 1e-5, tie_word_embeddings: false, classifier_pooling: 'late' };
  const shared = { num_key_value_heads: 2, attention_bias: false, mlp_bias: false, rope_theta: 10_000 };
  expect(await least('eurobert')).toMatchObject({ ...llama, ...shared });
});

describe('positions', () => {
  it.each(['roberta', 'xlm-roberta', 'heads-camembert/mlm'])('of %s begin after the padding token', async (name) => {
    const sizes = { max_position_embeddings: 514 };
    expect(await read(name, sizes)).toMatchObject({ padding_idx: 1, max_position_embeddings: 512 });
    expect(await read(name, { ...sizes, pad_token_id: 0 })).toMatchObject({
      padding_idx: 0,
      max_position_embeddings: 513,
    });
    expect(await read(name, { ...sizes, pad_token_id: null })).toMatchObject({ padding_idx: 1 });
    await refuses(name, { pad_token_id: -1 }, ModelFileError, /pad_token_id must be the id of a token, it is -1/);
    await refuses(name, { pad_token_id: 1.5 }, ModelFileError, /pad_token_id must be the id of a token/);
    await refuses(
      name,
      { ...sizes, pad_token_id: 513 },
      ModelFileError,
      /is 514, which leaves no positions after padding token 513/,
    );
  });

  it("of MPNet begin after token 1, whatever the file's padding token is", async () => {
    expect(await read('mpnet', { max_position_embeddings: 514, pad_token_id: 7 })).toMatchObject({
      padding_idx: 1,
      max_position_embeddings: 512,
    });
    const buckets = { relative_attention_num_buckets: 64 };
    await refuses(
      'mpnet',
      buckets,
      UnsupportedModelError,
      /relative_attention_num_buckets = 64 is not supported; only 32 is/,
    );
  });

  it.each(['bert', 'electra', 'roberta', 'mpnet'])('of %s are learned: not those of RoPE', async (name) => {
    const rotary = { position_embedding_type: 'rotary' };
    await refuses(name, rotary, UnsupportedModelError, /position_embedding_type = "rotary".*known are absolute/);
    expect(await read(name, { position_embedding_type: 'absolute' })).toEqual(await read(name));
  });
});

it('DistilBERT has names of its own, and no epsilon', async () => {
  expect(
    await read('distilbert', { dim: 48, n_heads: 3, n_layers: 5, hidden_dim: 50, activation: 'relu' }),
  ).toMatchObject({
    hidden_size: 48,
    head_dim: 16,
    num_hidden_layers: 5,
    intermediate_size: 50,
    hidden_act: 'relu',
    layer_norm_eps: 1e-12,
  });
  await refuses('distilbert', { dim: undefined }, ModelFileError, /dim must be a number, it is missing/);
  await refuses('distilbert', { activation: 'maxout' }, UnsupportedModelError, /activation = "maxout"/);
});

it('ELECTRA reads the width of its embeddings', async () => {
  expect(await read('electra', { embedding_size: 64 })).toMatchObject({ embedding_size: 64 });
  expect(await read('electra', { embedding_size: undefined })).toMatchObject({ embedding_size: 128 });
  await refuses(
    'electra',
    { embedding_size: -8 },
    ModelFileError,
    /embedding_size must be a positive integer, it is -8/,
  );
});

it('GTE may have no token types', async () => {
  expect(await read('gte', { type_vocab_size: 0 })).toMatchObject({ type_vocab_size: 0 });
  await refuses('bert', { type_vocab_size: 0 }, ModelFileError, /type_vocab_size must be a positive integer, it is 0/);
});

describe("GTE in its authors' names", () => {
  const NAME = 'heads-gte/mlm-new';

  it('is the same model; NTK scaling multiplies the base and divides the angles', async () => {
    const head_dim = 12;
    const shape = { hidden_size: 24, head_dim, hidden_act: 'gelu', type_vocab_size: 0 };
    expect(await read(NAME)).toMatchObject({ ...shape, rope_theta: 80_000, rope_factor: 4 ** (2 / head_dim) });
    const unscaled = await read(NAME, { rope_scaling: null, rope_theta: undefined });
    expect(unscaled).toMatchObject({ rope_theta: 10_000 });
    expect(unscaled).not.toHaveProperty('rope_factor');
  });

  it.each([
    [{ logn_attention_scale: true }, /logn_attention_scale = true is not supported; only false is/],
    [{ pack_qkv: false }, /pack_qkv = false is not supported; only true is/],
    [{ layer_norm_type: 'rms_norm' }, /layer_norm_type = "rms_norm"/],
    [{ position_embedding_type: 'absolute' }, /position_embedding_type = "absolute"/],
    [{ rope_scaling: { type: 'ntk', factor: 2, mixed_b: 0.75 } }, /rope_scaling.mixed_b = 0.75/],
  ])('refuses %j', (change, message) => refuses(NAME, change, UnsupportedModelError, message));
});

describe('JinaBERT', () => {
  const NAME = 'heads-jina-bert/mlm';

  it('is told from BERT by position_embedding_type', async () => {
    const shape = { hidden_size: 24, num_attention_heads: 3, type_vocab_size: 2, max_position_embeddings: 40 };
    expect(await read(NAME)).toMatchObject(shape);
    const { family } = await readModelConfig(saved(NAME));
    expect(family).toBe(moreFamilies.jina_bert);
  });

  it.each([
    [{ feed_forward_type: 'reglu' }, /feed_forward_type = "reglu"/],
    [{ feed_forward_type: null }, /feed_forward_type = null.*known are geglu/],
    [{ hidden_act: 'silu' }, /hidden_act = "silu"/],
  ])('refuses %j', (change, message) => refuses(NAME, change, UnsupportedModelError, message));

  it('has the slopes of ALiBi: powers of two, and between them where heads are not', () => {
    expect(alibiSlopes(8)).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map((i) => 2 ** -i));
    // The published list for 12 heads (get_slopes): those of 8, then every other one of 16.
    expect(alibiSlopes(12).slice(8)).toEqual([1, 3, 5, 7].map((i) => 2 ** (-i / 2)));
    expect(alibiSlopes(1)).toEqual([2 ** -8]);
  });
});

describe("NomicBERT in its authors' names", () => {
  const NAME = 'heads-nomic-bert/mlm';

  it('is the same model', async () => {
    expect(await read(NAME)).toMatchObject({
      hidden_size: 24,
      hidden_act: 'silu',
      rope_theta: 1000,
      type_vocab_size: 2,
    });
    expect(await read(NAME, { activation_function: 'geglu' })).toMatchObject({ hidden_act: 'gelu' });
    expect(await read(NAME, { vocab_size: 100, pad_vocab_size_multiple: 64 })).toMatchObject({ vocab_size: 128 });
  });

  it.each([
    [{ qkv_proj_bias: true }, /qkv_proj_bias = true is not supported; only false is/],
    [{ prenorm: true }, /prenorm = true/],
    [{ causal: true }, /causal = true/],
    [{ use_rms_norm: true }, /use_rms_norm = true/],
    [{ rotary_scaling_factor: 2 }, /rotary_scaling_factor = 2 is not supported; only unscaled RoPE is/],
    [{ rotary_emb_fraction: 0.5 }, /rotary_emb_fraction = 0.5 is not supported; only 1 is/],
    [{ activation_function: 'gelu' }, /activation_function = "gelu".*swiglu, geglu/],
  ])('refuses what no published model has: %j', (change, message) =>
    refuses(NAME, change, UnsupportedModelError, message),
  );
});

it('EuroBERT reads its groups of keys and values, and its pooling', async () => {
  const heads = { hidden_size: 32, num_attention_heads: 4, head_dim: null };
  expect(await read('eurobert', { ...heads, num_key_value_heads: 2 })).toMatchObject({ num_key_value_heads: 2 });
  expect(await read('eurobert', { ...heads, num_key_value_heads: null })).toMatchObject({ num_key_value_heads: 4 });
  const three = { ...heads, num_key_value_heads: 3 };
  await refuses('eurobert', three, UnsupportedModelError, /num_key_value_heads = 3.*must divide num_attention_heads 4/);
  await refuses(
    'eurobert',
    { classifier_pooling: 'max' },
    UnsupportedModelError,
    /classifier_pooling = "max".*bos, mean, late/,
  );
  await refuses('eurobert', { head_dim: 64 }, UnsupportedModelError, /head_dim = 64/);
  await refuses('eurobert', { rms_norm_eps: 0 }, ModelFileError, /rms_norm_eps must be a number from/);
  await refuses('eurobert', { vocab_size: null }, ModelFileError, /vocab_size must be a number, it is null/);
});
