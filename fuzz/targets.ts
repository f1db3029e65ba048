import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ModelFileError } from '../src/api/errors';
import { listCheckpointFiles } from '../src/formats/checkpoint';
import { convertFile } from '../src/formats/convert';
import { fileOf, safetensorsBytes } from '../src/formats/fixtures';
import type { ModelFiles } from '../src/formats/model-files';
import { readJson } from '../src/formats/read';
import { readSafetensors } from '../src/formats/safetensors';
import { readAdapter } from '../src/model/adapter/adapter';
import { mergedFiles } from '../src/model/adapter/merge';
import { declaredPlaces } from '../src/model/build';
import { readModelConfig } from '../src/model/families/registry';
import { readSentence } from '../src/model/fixtures/sentence';
import { readIndexFile } from '../src/search/file';
import { createTokenizer } from '../src/tokenizer/tokenizer';
import { CLI_TARGETS } from './cli-targets';
import { mutateJson, mutateSafetensors } from './mutate';
import type { Target } from './target';

const encoder = new TextEncoder();
const jsonOf = (value: unknown) => encoder.encode(JSON.stringify(value));

/** Files in memory. */
const filesOf = (contents: Record<string, Uint8Array>): ModelFiles => ({
  where: 'the fuzzed files',
  async open(name) {
    return Object.hasOwn(contents, name) ? fileOf(contents[name], { name, step: 1 << 16 }) : undefined;
  },
});

/** The bytes as JSON, read as the loader reads it. */
const parsed = (name: string, bytes: Uint8Array) => readJson(filesOf({ [name]: bytes }), name, { required: true });

const tokenizerSeeds = (): Uint8Array[] => {
  const folder = join(process.cwd(), 'fuzz/seeds/tokenizer');
  return readdirSync(folder).map((name) => readFileSync(join(folder, name)));
};

const TEXTS = [
  '',
  'The capital of France is [MASK].',
  ' two  spaces\t\n\r\n\r\n and <mask> ',
  'naïve e\u0301\u0301 漢字かな 한글 \u1100\u1161 👩‍👩‍👧 \ud800 \0 ﷺ',
  `${'a'.repeat(2000)} ${' '.repeat(2000)}1234567!!!!${'\n'.repeat(2000)}${'ab'.repeat(500)}`,
];

function encodeAll(tokenizerJson: unknown, tokenizerConfig: unknown): void {
  const tokenizer = createTokenizer(tokenizerJson, tokenizerConfig);
  for (const text of TEXTS) {
    try {
      const { ids } = tokenizer.encode(text);
      for (const id of new Set(ids)) tokenizer.decodeToken(id);
      tokenizer.encode(text, 'a pair', 100);
    } catch (error) {
      // Templates can have more than 100 tokens; that is the caller's limit.
      if (!(error instanceof RangeError && error.message.startsWith('encode: '))) throw error;
    }
  }
}

const configs = [
  {
    model_type: 'modernbert',
    architectures: ['ModernBertForSequenceClassification'],
    vocab_size: 96,
    hidden_size: 64,
    intermediate_size: 96,
    num_hidden_layers: 4,
    num_attention_heads: 2,
    max_position_embeddings: 512,
    local_attention: 64,
    global_attn_every_n_layers: 3,
    global_rope_theta: 160000,
    local_rope_theta: 10000,
    hidden_activation: 'gelu',
    norm_eps: 1e-5,
    norm_bias: false,
    id2label: { 0: 'no', 1: 'yes' },
    classifier_pooling: 'mean',
  },
  {
    model_type: 'modernbert',
    architectures: ['ModernBertForMaskedLM'],
    vocab_size: 96,
    hidden_size: 64,
    intermediate_size: 96,
    num_hidden_layers: 3,
    num_attention_heads: 4,
    num_labels: 3,
    layer_types: ['full_attention', 'sliding_attention', 'sliding_attention'],
    rope_parameters: {
      full_attention: { rope_type: 'default', rope_theta: 160000 },
      sliding_attention: { rope_type: 'default', rope_theta: 10000 },
    },
    tie_word_embeddings: false,
    decoder_bias: true,
    head_dim: 16,
  },
  {
    model_type: 'modernbert',
    architectures: ['ModernBertForQuestionAnswering'],
    transformers_version: '5.24.0',
    vocab_size: 96,
    hidden_size: 64,
    intermediate_size: 96,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    id2label: ['a', 7],
    label2id: { a: 0, 7: 1 },
    rope_parameters: { full_attention: { rope_type: 'default' }, sliding_attention: null },
    rope_scaling: { type: 'default', rope_theta: 10000 },
    sliding_window: 8,
    hidden_activation: 'gelu_new',
    classifier_activation: 'quick_gelu',
  },
];

const sentenceFiles = [
  {
    'modules.json': [
      { idx: 0, name: '0', path: '', type: 'sentence_transformers.models.Transformer' },
      { idx: 1, name: '1', path: '1_Pooling', type: 'sentence_transformers.models.Pooling' },
      { idx: 2, name: '2', path: '2_Dense', type: 'sentence_transformers.models.Dense' },
      { idx: 3, name: '3', path: '3_Normalize', type: 'sentence_transformers.models.Normalize' },
    ],
    '1_Pooling/config.json': { word_embedding_dimension: 64, pooling_mode_mean_tokens: true, include_prompt: true },
    '2_Dense/config.json': {
      in_features: 64,
      out_features: 32,
      bias: true,
      activation_function: 'torch.nn.modules.linear.Identity',
    },
    'config_sentence_transformers.json': {
      prompts: { query: 'search: ', document: '' },
      default_prompt_name: 'query',
      similarity_fn_name: 'cosine',
      truncate_dim: 16,
    },
    'sentence_bert_config.json': { max_seq_length: 512, do_lower_case: false },
  },
  {
    'modules.json': [
      { idx: 0, name: '0', path: '', type: 'sentence_transformers.models.Transformer' },
      { idx: 1, name: '1', path: '1_Dense', type: 'pylate.models.Dense.Dense' },
    ],
    '1_Dense/config.json': { in_features: 64, out_features: 32, bias: false, use_residual: false },
    'config_sentence_transformers.json': {
      query_prefix: '[Q] ',
      document_prefix: '[D] ',
      query_length: 32,
      document_length: 180,
      do_query_expansion: true,
      attend_to_expansion_tokens: false,
      skiplist_words: ['!', '.'],
    },
  },
];

const tensors = (dtype: string, bytes: number) => {
  const shapes = { 'a.weight': [4, 64], b: [8], 'layers.0.mlp.Wi.weight': [2, 64], empty: [0, 3], scalar: [] };
  let at = 0;
  const header = Object.entries(shapes).map(([name, shape]) => {
    const begin = at;
    at += shape.reduce((a, b) => a * b, 1) * bytes;
    return [name, { dtype, shape, data_offsets: [begin, at] }];
  });
  const json = { __metadata__: { format: 'pt' }, ...Object.fromEntries(header) };
  return safetensorsBytes(json, new Uint8Array(at).fill(1));
};

const adapterConfigs = [
  { peft_type: 'LORA', r: 2, lora_alpha: 4, task_type: 'SEQ_CLS', modules_to_save: ['classifier'], bias: 'none' },
  {
    base_model_name_or_path: 'org/base',
    r: 4,
    rank_pattern: { 'layers\\.\\d+\\.mlp\\.Wi': 2 },
    modules_to_save: ['classifier'],
    alpha_pattern: { '^layers.*': 3 },
    use_rslora: true,
    bias: 'all',
    use_dora: false,
  },
];

const adapterWeights = () => {
  const shapes = {
    'base_model.model.model.layers.0.mlp.Wi.lora_A.weight': [2, 64],
    'base_model.model.model.layers.0.mlp.Wi.lora_B.weight': [2, 2],
    'base_model.model.classifier.weight': [3, 2],
  };
  let at = 0;
  const header = Object.entries(shapes).map(([name, shape]) => {
    const begin = at;
    at += shape[0] * shape[1] * 4;
    return [name, { dtype: 'F32', shape, data_offsets: [begin, at] }];
  });
  return safetensorsBytes(Object.fromEntries(header), new Uint8Array(at).fill(1));
};

/** Merges the adapter and reads the result. */
async function mergeAdapter(adapter: Record<string, Uint8Array>): Promise<void> {
  const read = await readAdapter(filesOf(adapter), {});
  const base = filesOf({ 'model.safetensors': tensors('F32', 4), 'config.json': jsonOf(configs[0]) });
  const merged = mergedFiles(base, read);
  await readJson(merged, 'config.json');
  const file = (await merged.open('model.safetensors'))!;
  await readSafetensors(file, { header: (all) => new Set(all.map(({ name }) => name)), chunk() {} });
}

/** An index of texts (modernbert-webgpu/search) as a file. */
function searchIndex(precision: 'float32' | 'int8'): Uint8Array {
  const lines = encoder.encode(
    '{"id":"a","text":"The Seine crosses Paris.","metadata":{"n":[1,null]},"passages":[0,9,10,24]}\n{"id":"b","text":"Bread.","metadata":{},"passages":[0,6]}\n',
  );
  const vectors = 3 * 2 * (precision === 'float32' ? 4 : 1);
  const index = { version: 1, embeddingSpace: 'a', precision, metric: 'cosine', dim: 2, chunk: false, document: {} };
  const header = {
    __metadata__: { format: 'modernbert-webgpu/search', index: JSON.stringify(index) },
    vectors: { dtype: precision === 'float32' ? 'F32' : 'I8', shape: [3, 2], data_offsets: [0, vectors] },
    documents: { dtype: 'U8', shape: [lines.length], data_offsets: [vectors, vectors + lines.length] },
  };
  const data = new Uint8Array(vectors + lines.length);
  data.set(lines, vectors);
  return safetensorsBytes(header, data);
}

export const TARGETS: readonly Target[] = [
  {
    name: 'adapter-config',
    extension: 'json',
    seeds: adapterConfigs.map(jsonOf),
    mutate: mutateJson,
    run: (bytes) => mergeAdapter({ 'adapter_config.json': bytes, 'adapter_model.safetensors': adapterWeights() }),
  },
  {
    name: 'adapter-weights',
    extension: 'safetensors',
    seeds: [adapterWeights()],
    mutate: mutateSafetensors,
    run: (bytes) =>
      mergeAdapter({ 'adapter_config.json': jsonOf(adapterConfigs[0]), 'adapter_model.safetensors': bytes }),
  },
  {
    name: 'tokenizer',
    extension: 'json',
    seeds: tokenizerSeeds(),
    mutate: mutateJson,
    run: async (bytes) => encodeAll(await parsed('tokenizer.json', bytes), undefined),
  },
  {
    name: 'tokenizer-config',
    extension: 'json',
    seeds: [{ mask_token: '[MASK]' }, { mask_token: { content: '[MASK]', lstrip: true }, model_max_length: 512 }].map(
      jsonOf,
    ),
    mutate: mutateJson,
    async run(bytes) {
      const model = { type: 'BPE', vocab: { a: 0, '[MASK]': 1 }, merges: [] };
      createTokenizer({ model }, await parsed('tokenizer_config.json', bytes));
    },
  },
  {
    name: 'config',
    extension: 'json',
    seeds: configs.map(jsonOf),
    mutate: mutateJson,
    async run(bytes) {
      const { family, config } = await readModelConfig(await parsed('config.json', bytes));
      const names = new Set(['model.embeddings.tok_embeddings.weight', 'head.dense.weight']);
      declaredPlaces(family, config, 'q4', names);
    },
  },
  {
    name: 'sentence',
    extension: 'json',
    seeds: sentenceFiles.map(jsonOf),
    mutate: mutateJson,
    async run(bytes) {
      const json = await parsed('files', bytes);
      if (typeof json !== 'object' || json === null) return;
      const contents = Object.entries(json).map(([name, content]) => {
        try {
          return [name, jsonOf(content)] as const;
        } catch {
          return [name, encoder.encode('[')] as const; // nested too deeply to be written
        }
      });
      await readSentence(filesOf(Object.fromEntries(contents)));
    },
  },
  {
    name: 'index',
    extension: 'json',
    seeds: [
      { metadata: { total_size: 10 }, weight_map: { a: 'model-1.safetensors', b: 'sub/model-2.safetensors' } },
    ].map(jsonOf),
    mutate: mutateJson,
    async run(bytes) {
      await listCheckpointFiles(filesOf({ 'model.safetensors.index.json': bytes }));
    },
  },
  {
    name: 'safetensors',
    extension: 'safetensors',
    seeds: [tensors('F32', 4), tensors('BF16', 2), tensors('I8', 1)],
    mutate: mutateSafetensors,
    async run(bytes) {
      let read = 0;
      const visitor = {
        header: (found: { name: string }[]) => new Set(found.map(({ name }) => name)),
        chunk(_tensor: unknown, _offset: number, chunk: Uint8Array) {
          read += chunk.length;
        },
      };
      await readSafetensors(fileOf(bytes, { size: undefined, step: 1 << 16 }), visitor);
      if (read > bytes.length) throw new Error('more was read than there is');
      await readSafetensors(fileOf(bytes, { step: 1 << 16 }), visitor);
    },
  },
  {
    name: 'search-index',
    extension: 'safetensors',
    seeds: [searchIndex('float32'), searchIndex('int8')],
    mutate: mutateSafetensors,
    async run(bytes) {
      await (await readIndexFile(new Blob([bytes]))).records();
    },
  },
  {
    name: 'convert',
    extension: 'safetensors',
    seeds: [tensors('F32', 4), tensors('BF16', 2)],
    mutate: mutateSafetensors,
    async run(bytes) {
      for (const to of ['f16', 'q8', 'q4'] as const) {
        const quantizedIn = () => (name: string) => (to !== 'f16' && name.endsWith('.weight') ? to : undefined);
        const { stream } = await convertFile(fileOf(bytes, { step: 1 << 16 }), to, quantizedIn);
        const result = await new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>).bytes();
        await readSafetensors(fileOf(result, { step: 1 << 16 }), { header: () => new Set(), chunk: () => {} }).catch(
          (cause) => {
            if (cause instanceof ModelFileError) throw new Error(`converted to ${cause.message}`, { cause });
            throw cause;
          },
        );
      }
    },
  },
  ...CLI_TARGETS,
];
