import { describe, expect, it } from 'vitest';
import { ModelFileError, UnsupportedModelError } from '../../api/errors';
import { readSpec } from '../fixtures/golden';
import { readModernBert } from '../fixtures/modernbert';

const parseConfig = (json: unknown) => readModernBert(json).config;

/** ModernBERT-base as it is on the Hub: the spelling of transformers 4.48. */
const OLD = {
  model_type: 'modernbert',
  vocab_size: 50368,
  hidden_size: 768,
  intermediate_size: 1152,
  num_hidden_layers: 4,
  num_attention_heads: 12,
  global_attn_every_n_layers: 3,
  local_attention: 128,
  global_rope_theta: 160_000,
  local_rope_theta: 10_000,
};

/** The same in the spelling of transformers 5. */
const NEW = {
  ...OLD,
  global_attn_every_n_layers: undefined,
  global_rope_theta: undefined,
  local_rope_theta: undefined,
  layer_types: ['full_attention', 'sliding_attention', 'sliding_attention', 'full_attention'],
  rope_parameters: {
    full_attention: { rope_type: 'default', rope_theta: 160_000 },
    sliding_attention: { rope_type: 'default', rope_theta: 10_000 },
  },
};

const WINDOWS = [0, 64, 64, 0];
const ROPE_THETAS = [160_000, 10_000, 10_000, 160_000];

describe('the configuration', () => {
  const withRope = (kind: string, value: unknown) => ({
    ...NEW,
    rope_parameters: { ...NEW.rope_parameters, [kind]: value },
  });

  it('reads both spellings as the same model', () => {
    expect(parseConfig(OLD)).toMatchObject({ windows: WINDOWS, rope_thetas: ROPE_THETAS });
    expect(parseConfig(NEW)).toEqual(parseConfig(OLD));
    const [old, v5] = ['tiny-mlm', 'tiny-mlm-v5config'].map((name) =>
      parseConfig({ model_type: 'modernbert', ...readSpec(name).config }),
    );
    expect(v5).toEqual({ ...old, architectures: ['ModernBertForMaskedLM'] });
  });

  it('has the defaults of transformers', () => {
    const { model_type, vocab_size, hidden_size, intermediate_size, num_hidden_layers, num_attention_heads } = OLD;
    const sizes = { model_type, vocab_size, hidden_size, intermediate_size, num_hidden_layers, num_attention_heads };
    expect(parseConfig(sizes)).toEqual({
      vocab_size,
      hidden_size,
      intermediate_size,
      num_hidden_layers,
      num_attention_heads,
      head_dim: 64,
      hidden_activation: 'gelu',
      max_position_embeddings: 8192,
      norm_eps: 1e-5,
      norm_bias: false,
      attention_bias: false,
      mlp_bias: false,
      decoder_bias: true,
      classifier_bias: false,
      classifier_activation: 'gelu',
      classifier_pooling: 'cls',
      tie_word_embeddings: true,
      windows: WINDOWS,
      rope_thetas: ROPE_THETAS,
      labels: [],
      names_labels: false,
      multi_label: false,
      architectures: [],
      writer: undefined,
    });
  });

  it('takes the global theta where local_rope_theta is null, and its default where it is missing', () => {
    expect(parseConfig({ ...OLD, local_rope_theta: null }).rope_thetas[1]).toBe(160_000);
    expect(parseConfig({ ...OLD, local_rope_theta: undefined }).rope_thetas[1]).toBe(10_000);
  });

  it('takes null for a missing layer_types or rope_parameters', () => {
    expect(parseConfig({ ...OLD, layer_types: null, rope_parameters: null })).toEqual(parseConfig(OLD));
  });

  it('takes null for a missing rope_type', () => {
    const parameters = { rope_type: null, rope_theta: 10_000 };
    expect(parseConfig(withRope('sliding_attention', parameters))).toEqual(parseConfig(NEW));
  });

  it('fills in what rope_parameters leaves out, as transformers does', () => {
    const thetas = (change: object) => [0, 1].map((layer) => parseConfig({ ...NEW, ...change }).rope_thetas[layer]);
    expect(thetas({ rope_parameters: {} })).toEqual([160_000, 10_000]);
    expect(thetas({ rope_parameters: { full_attention: { rope_type: 'default' } } })).toEqual([160_000, 10_000]);
    expect(thetas({ rope_parameters: { sliding_attention: { rope_theta: 7 } } })).toEqual([160_000, 7]);
    expect(thetas({ rope_parameters: { full_attention: null }, global_rope_theta: 5 })).toEqual([5, 10_000]);
    expect(thetas({ rope_parameters: null, global_rope_theta: 5, local_rope_theta: 7 })).toEqual([5, 7]);
    const full_attention = { rope_theta: 8 };
    expect(thetas({ rope_parameters: { full_attention, rope_theta: null, rope_type: 'default' } })).toEqual([
      8, 10_000,
    ]);
    expect(() => thetas({ rope_parameters: { full_attention, rope_theta: 9 } })).toThrow(/an object for each/);
    expect(() => thetas({ rope_parameters: { full_attention, rope_type: 'yarn' } })).toThrow(/an object for each/);
    expect(thetas({ rope_scaling: { type: 'default', rope_theta: 77 } })).toEqual([77, 77]);
    expect(thetas({ rope_parameters: {}, rope_theta: 99 })).toEqual([160_000, 10_000]);
  });

  it('leaves auto_map aside: model_type and the class decide', () => {
    const auto_map = { AutoModel: 'configuration_mine.ModernBertModel' };
    expect(parseConfig({ ...OLD, auto_map })).toEqual(parseConfig(OLD));
  });

  it('takes sliding_window for half of local_attention', () => {
    expect(parseConfig({ ...OLD, sliding_window: 5 }).windows[1]).toBe(5);
  });

  it("knows transformers' other names of its activations", () => {
    const names = ['gelu_new', 'gelu_fast', 'swish', 'gelu_python', 'quick_gelu', 'mish'];
    const found = names.map((name) => parseConfig({ ...OLD, hidden_activation: name }).hidden_activation);
    expect(found).toEqual(['gelu_pytorch_tanh', 'gelu_pytorch_tanh', 'silu', 'gelu', 'quick_gelu', 'mish']);
  });

  it('rounds an odd local_attention down, as the published window does', () => {
    expect(parseConfig({ ...OLD, local_attention: 129 }).windows[1]).toBe(64);
  });

  it('reads labels in the order of their numbers', () => {
    const { labels, names_labels } = parseConfig({ ...OLD, id2label: { 1: 'b', 0: 'a', 2: 'c' } });
    expect([labels, names_labels]).toEqual([['a', 'b', 'c'], true]);
    expect(parseConfig({ ...OLD, id2label: { 0: 3, 1: 1.5, 2: '' } }).labels).toEqual(['3', '1.5', '']);
    expect(parseConfig({ ...OLD, id2label: ['x', 7], num_labels: null }).labels).toEqual(['x', '7']);
    expect(parseConfig({ ...OLD, label2id: { b: 1, a: 0, c: 2 } }).labels).toEqual(['a', 'b', 'c']);
    expect(parseConfig({ ...OLD, id2label: { 0: 'own' }, label2id: { other: 0 } }).labels).toEqual(['own']);
    expect(parseConfig({ ...OLD, label2id: { a: 0, b: 0 }, num_labels: 2 }).labels).toEqual(['LABEL_0', 'LABEL_1']);
    expect(parseConfig({ ...OLD, num_labels: 2 }).labels).toEqual(['LABEL_0', 'LABEL_1']);
    expect(parseConfig({ ...OLD, problem_type: 'multi_label_classification' }).multi_label).toBe(true);
  });

  it.each([
    [{ hidden_activation: 'gelu_10' }, /hidden_activation = "gelu_10".*gelu, gelu_pytorch_tanh, silu, relu.*gelu_new/],
    [{ classifier_activation: 'prelu' }, /classifier_activation = "prelu"/],
    [
      { classifier_activation: 'xielu', transformers_version: '4.57.1' },
      /is not supported; known are .*\. transformers 4\.57\.1 wrote the file; a later version/,
    ],
    [{ classifier_pooling: 'max' }, /classifier_pooling = "max".*cls, mean/],
    [{ rope_scaling: { type: 'linear', factor: 2 } }, /rope_scaling = \{"type":"linear","factor":2\}/],
    [{ num_attention_heads: 3 }, /head.*= 256 is not supported; .*at most 128/],
    [{ hidden_size: 36, num_attention_heads: 12 }, /= 3 is not supported; RoPE needs an even/],
    [{ head_dim: 32 }, /head_dim = 32 is not supported; .*= 64/],
    [{ local_attention: 1 }, /local_attention = 1/],
    [{ local_attention: 12.5 }, /local_attention = 12.5/],
    [
      { ...NEW, layer_types: [...NEW.layer_types.slice(1), 'chunked_attention'] },
      /layer_types\[3\] = "chunked_attention"/,
    ],
    [
      withRope('sliding_attention', { rope_type: 'yarn', rope_theta: 1e4 }),
      /rope_parameters.sliding_attention.rope_type = "yarn"/,
    ],
    [
      { ...OLD, local_attention: 1e12 },
      /local_attention = 1000000000000 is not supported; it must be an integer from 2 to 10000000/,
    ],
    [
      { ...NEW, rope_parameters: { rope_type: 'default', rope_theta: 1e4 } },
      /rope_parameters = .* is not supported; it must have an object for each of full_attention and sliding_attention/,
    ],
  ])('refuses what it cannot compute: %j', (change, message) => {
    const parse = () => parseConfig({ ...OLD, ...change });
    expect(parse).toThrow(UnsupportedModelError);
    expect(parse).toThrow(message);
  });

  it.each([
    [{ hidden_size: undefined }, /hidden_size must be a number, it is missing/],
    [{ vocab_size: '50368' }, /vocab_size must be a number, it is "50368"/],
    [{ num_hidden_layers: 0 }, /num_hidden_layers must be a positive integer, it is 0/],
    [{ intermediate_size: 11.5 }, /intermediate_size must be a positive integer, it is 11.5/],
    [{ num_attention_heads: 7 }, /768 is not a multiple of num_attention_heads 7/],
    [{ norm_eps: 'small' }, /norm_eps must be a number/],
    [{ norm_eps: 0 }, /norm_eps must be a number from 1e-30 to 1, it is 0/],
    [{ vocab_size: 1e12 }, /vocab_size must be a positive integer of at most 10000000, it is 1000000000000/],
    [{ num_hidden_layers: 160_000 }, /num_hidden_layers must be a positive integer of at most 1000, it is 160000/],
    [{ hidden_size: 768e9, num_attention_heads: 12e9 }, /hidden_size must be a positive integer of at most 262144/],
    [{ intermediate_size: 2 ** 53 }, /intermediate_size must be a positive integer of at most 262144/],
    [{ max_position_embeddings: 1e300 }, /max_position_embeddings must be a positive integer of at most 10000000/],
    [{ num_labels: 1e9 }, /num_labels must be a positive integer of at most 100000/],
    [{ architectures: [{ toString: 1 }] }, /architectures must be a list of class names/],
    [{ ...NEW, rope_parameters: [] }, /rope_parameters must be an object, it is \[\]/],
    [{ mlp_bias: 1 }, /mlp_bias must be true or false, it is 1/],
    [{ global_rope_theta: 0 }, /global_rope_theta must be positive, it is 0/],
    [{ global_attn_every_n_layers: 0 }, /global_attn_every_n_layers must be a positive integer/],
    [{ ...NEW, layer_types: NEW.layer_types.slice(1) }, /layer_types must list 4 layers/],
    [{ ...NEW, layer_types: 'full_attention' }, /layer_types must list 4 layers, it is "full_attention"/],
    [withRope('full_attention', { rope_theta: -1 }), /rope_theta must be positive, it is -1/],
    [{ id2label: { 0: 'a', 2: 'b' } }, /id2label has 2 entries but no text for label 1/],
  ])('calls broken what makes no sense: %j', (change, message) => {
    const parse = () => parseConfig({ ...OLD, ...change });
    expect(parse).toThrow(ModelFileError);
    expect(parse).toThrow(message);
  });

  it.each([null, 'text', [OLD]])('wants an object: %j', (json) => {
    expect(() => parseConfig(json)).toThrow(/config.json does not hold a JSON object/);
  });
});
