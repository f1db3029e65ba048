import { describe, expect, it } from 'vitest';
import { ModelFileError, UnsupportedModelError } from '../api/errors';
import { openFiles } from '../sources/source';
import { readSentenceConfig } from './sentence';

const ST = 'sentence_transformers.models.';
const POOLING = '1_Pooling/config.json';
const MEAN = { pooling_mode_mean_tokens: true };
const DENSE = {
  in_features: 64,
  out_features: 16,
  bias: false,
  activation_function: 'torch.nn.modules.linear.Identity',
};

/** modules.json of a Transformer and these. */
const modules = (...names: string[]) =>
  ['Transformer', ...names].map((name, i) => ({
    idx: i,
    path: i === 0 ? '' : `${i}_${name}`,
    type: name.includes('.') ? name : ST + name,
  }));

const read = (json: Record<string, unknown>, hidden_size = 64) =>
  readSentenceConfig(
    openFiles(
      new Map(
        Object.entries({ 'config.json': {}, ...json }).map(([name, value]) => [
          name,
          new Blob([JSON.stringify(value)]),
        ]),
      ),
    ),
    hidden_size,
    {},
  );

describe('readSentenceConfig', () => {
  it('refuses to keep more numbers than an embedding has', async () => {
    const of = (truncate_dim: number) => read({ 'config_sentence_transformers.json': { truncate_dim } });
    expect((await of(64)).truncate_dim).toBe(64);
    await expect(of(65)).rejects.toThrow(/truncate_dim must be at most the 64 numbers of an embedding, it is 65/);
  });

  it('pools by the mean where there are no files', async () => {
    expect(await read({})).toMatchObject({
      pooling: ['mean'],
      modules: [{ kind: 'Pooling', poolings: ['mean'] }],
      prompts: {},
      similarity: 'cosine',
      multiVector: undefined,
    });
  });

  it('reads 1_Pooling without modules.json, in either spelling, several modes in the order that they stand side by side', async () => {
    const modes = { pooling_mode_lasttoken: true, pooling_mode_cls_token: true, pooling_mode_max_tokens: false };
    expect((await read({ [POOLING]: modes })).pooling).toEqual(['cls', 'lasttoken']);
    expect((await read({ [POOLING]: { pooling_mode: 'weightedmean' } })).pooling).toEqual(['weightedmean']);
    expect((await read({ [POOLING]: { pooling_mode: ['mean', 'max'] } })).pooling).toEqual(['max', 'mean']);
  });

  it('reads modules, prompts, similarity, sizes', async () => {
    const config = await read({
      'modules.json': modules('Pooling', 'Dense', 'Normalize'),
      [POOLING]: { ...MEAN, include_prompt: false },
      '2_Dense/config.json': { ...DENSE, activation_function: 'torch.nn.modules.activation.Tanh', bias: true },
      'config_sentence_transformers.json': {
        prompts: { query: 'query: ', document: '' },
        default_prompt_name: 'document',
        similarity_fn_name: 'dot',
        truncate_dim: 8,
      },
      'sentence_bert_config.json': { max_seq_length: 99, do_lower_case: false },
    });
    expect(config.modules[1].columns(64)).toBe(16);
    expect(config).toMatchObject({
      pooling: ['mean'],
      include_prompt: false,
      modules: [
        { kind: 'Pooling', path: '1_Pooling', poolings: ['mean'] },
        { kind: 'Dense', path: '2_Dense' },
      ],
      prompts: { query: 'query: ', document: '' },
      default_prompt_name: 'document',
      similarity: 'dot',
      truncate_dim: 8,
      max_seq_length: 99,
      multiVector: undefined,
    });
  });

  it("reads PyLate's fields where there is no Pooling, with PyLate's defaults", async () => {
    const files = {
      'modules.json': modules('pylate.models.Dense.Dense'),
      '1_pylate.models.Dense.Dense/config.json': DENSE,
    };
    expect((await read(files)).multiVector).toMatchObject({
      query_prefix: '[Q] ',
      document_prefix: '[D] ',
      query_length: 32,
      document_length: 180,
      do_query_expansion: true,
      attend_to_expansion_tokens: false,
    });
    const own = {
      query_prefix: '',
      document_length: 300,
      attend_to_expansion_tokens: true,
      skiplist_words: [],
      similarity_fn_name: 'MaxSim',
    };
    const config = await read({ ...files, 'config_sentence_transformers.json': own });
    expect(config).toMatchObject({ pooling: undefined, similarity: 'MaxSim' });
    expect(config.multiVector).toMatchObject({
      query_prefix: '',
      document_length: 300,
      attend_to_expansion_tokens: true,
      skiplist_words: [],
    });
  });

  it("leaves a cross-encoder's modules alone", async () => {
    const type = 'sentence_transformers.cross_encoder.modules.logit_score.LogitScore';
    expect(await read({ 'modules.json': modules(type) })).toMatchObject({
      pooling: ['mean'],
      modules: [{ kind: 'Pooling' }],
    });
  });

  const dense = (change: object) => ({
    'modules.json': modules('Pooling', 'Dense'),
    [POOLING]: MEAN,
    '2_Dense/config.json': { ...DENSE, ...change },
  });
  it.each([
    [
      { 'modules.json': modules('Pooling', 'LayerNorm'), [POOLING]: MEAN },
      /modules\.json: \[2\]\.type = .*LayerNorm" is not supported/,
    ],
    [{ 'modules.json': modules('WordWeights') }, /\[1\]\.type = .*WordWeights/],
    [{ 'modules.json': modules().map((m) => ({ ...m, type: `${ST}CLIPModel` })) }, /\[0\]\.type = .*CLIPModel/],
    [{ 'modules.json': modules('Normalize') }, /neither a Pooling nor a Dense/],
    [
      { 'modules.json': modules('Pooling', ...Array(15).fill('Normalize')) },
      /modules\.json lists 17 modules, at most 16 are supported/,
    ],
    [
      { [POOLING]: { pooling_mode_whitening: true, ...MEAN } },
      /1_Pooling\/config\.json: pooling_mode_whitening = true is not supported/,
    ],
    [{ [POOLING]: { pooling_mode: 'first' } }, /pooling_mode = "first"/],
    [{ [POOLING]: {} }, /no pooling mode is turned on/],
    [
      dense({ activation_function: 'torch.nn.modules.activation.Sigmoid' }),
      /2_Dense\/config\.json: activation_function = .*Sigmoid.* Identity, Tanh/,
    ],
    [dense({ use_residual: true }), /use_residual = true/],
    [dense({ module_input_name: 'image_embedding' }), /module_input_name = "image_embedding"/],
    [{ 'config_sentence_transformers.json': { similarity_fn_name: 'hamming' } }, /similarity_fn_name = "hamming"/],
    [{ 'sentence_bert_config.json': { do_lower_case: true } }, /sentence_bert_config\.json: do_lower_case = true/],
  ])('refuses what it cannot compute, by file, field and value: %j', async (files, message) => {
    await expect(read(files)).rejects.toThrow(UnsupportedModelError);
    await expect(read(files)).rejects.toThrow(message);
  });

  it('puts poolings of any width side by side', async () => {
    const files = { [POOLING]: { ...MEAN, pooling_mode_max_tokens: true } };
    const { modules } = await read(files, 25);
    expect(modules[0].columns(25)).toBe(50);
  });

  it.each([
    [dense({ in_features: 32 }), /in_features is 32, but the module before it returns 64 numbers/],
    [dense({ out_features: 0 }), /out_features must be a positive integer/],
    [{ 'modules.json': { Transformer: '' } }, /must be a list of modules, it is \{"Transformer":""\}/],
    [{ 'modules.json': ['x'.repeat(1000)] }, /modules\.json: \[0\]\.type must be a string, it is missing/],
    [{ 'modules.json': [{ type: 7, path: '' }] }, /modules\.json: \[0\]\.type must be a string, it is 7/],
    [{ 'modules.json': modules('Pooling').map((m) => ({ ...m, path: '' })) }, /\[1\]\.path must be a folder/],
    [{ 'modules.json': modules('Pooling').map((m) => ({ ...m, path: null })) }, /\[0\]\.path must be a folder/],
    [
      { 'config_sentence_transformers.json': { default_prompt_name: 'q', prompts: { query: '' } } },
      /default_prompt_name 'q' is not one of prompts/,
    ],
    [
      { 'config_sentence_transformers.json': { default_prompt_name: 'constructor', prompts: { query: '' } } },
      /default_prompt_name 'constructor' is not one of prompts/,
    ],
    [
      { 'config_sentence_transformers.json': { truncate_dim: 2 ** 53 } },
      /truncate_dim must be a positive integer of at/,
    ],
    [dense({ out_features: 1e12 }), /out_features must be a positive integer of at most 262144/],
    [{ 'config_sentence_transformers.json': { prompts: { query: 7 } } }, /prompts must be an object of strings/],
  ])('says what is wrong with broken files: %j', async (files, message) => {
    await expect(read(files)).rejects.toThrow(ModelFileError);
    await expect(read(files)).rejects.toThrow(message);
  });
});

it('takes the length of a tokenizer without a limit', async () => {
  const files = { [POOLING]: MEAN, 'sentence_bert_config.json': { max_seq_length: 1e30 } };
  expect((await read(files)).max_seq_length).toBe(1e30);
});
