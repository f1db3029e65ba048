import { describe, expect, it } from 'vitest';
import { ModelFileError, UnsupportedModelError } from '../api/errors';
import { openFiles } from '../sources/source';
import { readSentence } from './fixtures/sentence';

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

const read = (json: Record<string, unknown>, hidden_size = 64, config: Record<string, unknown> = {}) =>
  readSentence(
    openFiles(
      new Map(
        Object.entries({ 'config.json': {}, ...json }).map(([name, value]) => [
          name,
          new Blob([JSON.stringify(value)]),
        ]),
      ),
    ),
    hidden_size,
    config,
  );

describe('readSentenceConfig', () => {
  it('refuses to keep more numbers than an embedding has', async () => {
    const of = (truncate_dim: number) => read({ 'config_sentence_transformers.json': { truncate_dim } });
    expect((await of(64)).truncate_dim).toBe(64);
    await expect(of(65)).rejects.toThrow(/truncate_dim must be at most the 64 numbers of an embedding, it is 65/);
  });

  it('pools by the mean where there are no files', async () => {
    expect(await read({})).toMatchObject({
      chains: { any: { modules: [{ kind: 'Pooling', poolings: ['mean'] }], columns: 64 } },
      output: 'sentence_embedding',
      strips: false,
      prompts: {},
      similarity: 'cosine',
      multiVector: undefined,
    });
  });

  it('reads 1_Pooling without modules.json, in either spelling, several modes in the order that they stand side by side', async () => {
    const poolings = async (config: object) => (await read({ [POOLING]: config })).chains.any?.pooling?.poolings;
    const modes = { pooling_mode_lasttoken: true, pooling_mode_cls_token: true, pooling_mode_max_tokens: false };
    expect(await poolings(modes)).toEqual(['cls', 'lasttoken']);
    expect(await poolings({ pooling_mode: 'weightedmean' })).toEqual(['weightedmean']);
    expect(await poolings({ pooling_mode: ['mean', 'max'] })).toEqual(['mean', 'max']); // the list's own order
    expect(await poolings({ pooling_mode: ['mean', 'cls'], pooling_mode_cls_token: true })).toEqual(['mean', 'cls']);
  });

  it('strips texts as the version that saved the checkpoint does', async () => {
    const of = async (version: unknown, files: object = { 'modules.json': modules('Pooling'), [POOLING]: MEAN }) =>
      (await read({ ...files, 'config_sentence_transformers.json': { __version__: version } })).strips;
    for (const old of ['5.3.0', '5.3.1', '3.4', '2.2.2'])
      expect(await of({ sentence_transformers: old }), old).toBe(true);
    for (const now of ['5.4.0', '5.10.1', '6.2.0', '10.0'])
      expect(await of({ sentence_transformers: now }), now).toBe(false);
    expect(await of(undefined)).toBe(true); // before 2.1
    expect(await of({ sentence_transformers: '5.3.0' }, { [POOLING]: MEAN })).toBe(false); // not saved by it
    const type = { 'config_sentence_transformers.json': { model_type: 'CrossEncoder', __version__: {} } };
    expect((await read({ 'modules.json': modules(), ...type })).strips).toBe(false);
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
      modules: [
        { kind: 'Pooling', path: '1_Pooling', poolings: ['mean'], include_prompt: false },
        { kind: 'Dense', path: '2_Dense' },
        { kind: 'Normalize', path: '3_Normalize' },
      ],
      chains: { any: { columns: 16 }, query: { columns: 16 }, document: { columns: 16 } },
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
      prefixes: { query: '[Q] ', document: '[D] ' },
      lengths: { query: 32, document: 180 },
      expansion: { strategy: 'fixed', length: 32, attend: false, token: undefined },
      skiplist_tasks: ['document'],
      normalizes: true,
    });
    const own = {
      query_prefix: '',
      document_length: 300,
      attend_to_expansion_tokens: true,
      skiplist_words: [],
      similarity_fn_name: 'MaxSim',
    };
    const config = await read({ ...files, 'config_sentence_transformers.json': own });
    expect(config).toMatchObject({ output: 'token_embeddings', similarity: 'MaxSim' });
    expect(config.multiVector).toMatchObject({
      prefixes: { query: '', document: '[D] ' },
      lengths: { document: 300 },
      expansion: { attend: true },
      skiplist_words: [],
    });
    const without = { 'config_sentence_transformers.json': { do_query_expansion: false } };
    expect((await read({ ...files, ...without })).multiVector?.expansion).toBeUndefined();
  });

  it("reads a multi-vector checkpoint of sentence-transformers 6: its mask, its lengths, its tokens' pooling", async () => {
    const config = await read({
      'modules.json': modules('MultiVectorMask', 'Normalize', 'HierarchicalTokenPooling'),
      '1_MultiVectorMask/config.json': { skiplist_words: ['.'], skiplist_tasks: 'query', keep_only_token_ids: [3] },
      '3_HierarchicalTokenPooling/config.json': { pool_factor: 2 },
      'config_sentence_transformers.json': { similarity_fn_name: 'maxsim' },
      'sentence_bert_config.json': {
        document_length: 40,
        query_expansion: { strategy: 'min', length: 8, token: '[P]' },
      },
    });
    expect(config.similarity).toBe('MaxSim');
    expect(config.multiVector).toMatchObject({
      prefixes: { query: '', document: '' },
      lengths: { query: undefined, document: 40 },
      expansion: { strategy: 'min', length: 8, attend: false, token: '[P]' },
      skiplist_words: ['.'],
      skiplist_tasks: ['query'],
      keep_only_token_ids: [3],
      normalizes: false,
      pooling: { pool_factor: 2, num_protected_tokens: 1, normalize_embeddings: false, tasks: ['document'] },
    });
  });

  it("takes a cross-encoder's activation from where its version keeps it", async () => {
    const identity = 'torch.nn.modules.linear.Identity';
    const own = { 'config_sentence_transformers.json': { activation_fn: identity } };
    expect((await read(own)).activation).toBe('Identity');
    const of = async (config: Record<string, unknown>) => (await read({}, 64, config)).activation;
    expect(await of({ sentence_transformers: { activation_fn: identity } })).toBe('Identity');
    expect(await of({ sbert_ce_default_activation_function: 'torch.nn.modules.activation.Sigmoid' })).toBe('Sigmoid');
    expect(await of({})).toBeUndefined();
  });

  const dense = (change: object) => ({
    'modules.json': modules('Pooling', 'Dense'),
    [POOLING]: MEAN,
    '2_Dense/config.json': { ...DENSE, ...change },
  });
  it.each([
    [
      {
        'modules.json': modules('Pooling', 'LSTM'),
        [POOLING]: MEAN,
        'config_sentence_transformers.json': { __version__: { sentence_transformers: '2.2.2' } },
      },
      /modules\.json: \[2\]\.type = .*LSTM" is not supported; known are Pooling.* sentence-transformers 2\.2\.2 wrote the file/,
    ],
    [{ 'modules.json': modules('WordWeights') }, /\[1\]\.type = .*WordWeights/],
    [{ 'modules.json': modules().map((m) => ({ ...m, type: `${ST}CLIPModel` })) }, /\[0\]\.type = .*CLIPModel/],
    [{ 'modules.json': modules() }, /modules\.json lists only a Transformer; embeddings need a Pooling/],
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
      dense({ activation_function: 'torch.nn.modules.activation.Softplus' }),
      /2_Dense\/config\.json: activation_function = .*Softplus.* Identity, Tanh/,
    ],
    [dense({ module_input_name: 'image_embedding' }), /module_input_name = "image_embedding"/],
    [{ 'config_sentence_transformers.json': { similarity_fn_name: 'hamming' } }, /similarity_fn_name = "hamming"/],
    [
      dense({ module_output_name: 'token_embeddings' }),
      /module_output_name = "token_embeddings" is not supported; here it can be sentence_embedding/,
    ],
    [
      { ...dense({ module_output_name: 'scores' }), 'modules.json': modules('Pooling', 'Dense', 'Normalize') },
      /\[3\]\.type = .*Normalize.*nothing can follow the Dense before it/,
    ],
    [
      { 'modules.json': modules('WeightedLayerPooling', 'Pooling'), '1_WeightedLayerPooling/config.json': {} },
      /config\.json must say output_hidden_states/,
    ],
    [
      { 'modules.json': modules('Pooling', 'MultiVectorMask'), [POOLING]: MEAN },
      /MultiVectorMask.*there are no tokens left/,
    ],
    [
      { 'modules.json': modules('SpladePooling', 'Normalize'), '1_SpladePooling/config.json': {} },
      /Normalize.*nothing can follow the SpladePooling before it/,
    ],
    [
      { 'modules.json': modules('SpladePooling'), '1_SpladePooling/config.json': { activation_function: 'gelu' } },
      /activation_function = "gelu" is not supported; known are relu, log1p_relu/,
    ],
    [
      {
        'modules.json': modules('LogitScore'),
        '1_LogitScore/config.json': { true_token_id: 7, module_input_name: 'token_embeddings' },
        'sentence_bert_config.json': { transformer_task: 'feature-extraction' },
      },
      /transformer_task = "feature-extraction" is not supported; the LogitScore after it needs the logits of fill-mask/,
    ],
    [
      { 'modules.json': modules('LogitScore'), '1_LogitScore/config.json': { true_token_id: 7 } },
      /1_LogitScore\/config\.json: module_input_name = .* is not supported; here it can be token_embeddings, the logits of a masked language model/,
    ],
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
