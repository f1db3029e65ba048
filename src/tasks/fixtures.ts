/** For tests: small random checkpoints that read text with nano's tokenizer, what they compute in plain TypeScript, and calls without a GPU. */
import { copyFileSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCheckpoint } from '../../tools/make-checkpoint.mjs';
import type { Calls } from '../api/calls';
import type { ModelInfo, Task } from '../api/types';
import { referenceForward } from '../model/families/reference/modernbert';
import { publicModel } from '../model/fixtures/golden';
import { readModernBert } from '../model/fixtures/modernbert';
import { TASKS } from '../model/heads/tasks';
import { poolingModule } from '../model/modules/pooling';
import { chainOf, type SentenceConfig } from '../model/sentence';
import type { Item } from '../runtime/pass-items';
import { spacesNamed } from '../session/embedding-space';
import { createTokenizer } from '../tokenizer/tokenizer';
import type { Tokenizer } from '../tokenizer/types';
import { modelCalls } from './calls';
import { promptNamesOf } from './prompt-names';

type Config = Record<string, unknown>;

const readNano = (name: string): unknown => JSON.parse(readFileSync(join(publicModel('nano'), name), 'utf8'));

let nano: Tokenizer | undefined;
/** nano's tokenizer, created once, since that takes 0.1 s. */
export const nanoTokenizer = (): Tokenizer =>
  (nano ??= createTokenizer(readNano('tokenizer.json'), readNano('tokenizer_config.json')));

const SIZES = {
  vocab_size: 16384,
  hidden_size: 64,
  intermediate_size: 96,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  max_position_embeddings: 128,
  local_attention: 16,
};

export const labelsOf = (labels: string[]): Config => ({
  num_labels: labels.length,
  id2label: Object.fromEntries(labels.entries()),
  label2id: Object.fromEntries(labels.map((label, i) => [label, i])),
});

/** The folder of a random checkpoint with nano's tokenizer. */
export function tinyModel(task: Task, config: Config = {}, seed = 5): string {
  const folder = mkdtempSync(join(tmpdir(), 'modernbert-tasks-'));
  makeCheckpoint(
    { seed, task, config: { ...SIZES, architectures: [`ModernBert${TASKS[task].suffix}`], ...config } },
    folder,
  );
  for (const name of ['tokenizer.json', 'tokenizer_config.json']) {
    copyFileSync(join(publicModel('nano'), name), join(folder, name));
  }
  return folder;
}

/** The plain model's logits of sequences: one row a sequence, or a token. */
export function plainLogits(folder: string, task: Exclude<Task, 'encoder'>, sequences: Uint32Array[]): number[][] {
  return referenceForward(folder, task, sequences).logits!.map((row) => [...row]);
}

/** For callsOn: logits that are the numbers written in the text, or the text of a pair: "1.5 -2". */
export const numbersIn = ({ ids }: Item): number[][] => [
  (
    [...ids]
      .map((id) => nanoTokenizer().decodeToken(id))
      .join('')
      .match(/-?\d+(\.\d+)?/g) ?? []
  ).map(Number),
];

/**
 * A model's calls on a GPU of the test's own: `answer` gives the rows [rows or 1, width] that a sequence wants. `sentence`: what its
 * sentence-transformers files say.
 */
export function callsOn(
  task: Task,
  config: Config,
  answer: (item: Item, head: Item['wanted'][number]) => number[][],
  tokenizer: Tokenizer | undefined = nanoTokenizer(),
  sentence: Partial<SentenceConfig> = {},
): { calls: Calls; submitted: Item[] } {
  const submitted: Item[] = [];
  const { config: parsed } = readModernBert({ model_type: 'modernbert', ...SIZES, ...config });
  const info = {
    config,
    task,
    maxTokens: parsed.max_position_embeddings,
    maxTokensPerPass: 8192,
    labels: parsed.labels,
    pooling: ['mean'],
    prompts: sentence.prompts ?? {},
    defaultPrompt: sentence.default_prompt_name,
    promptNames: promptNamesOf(sentence.prompts ?? {}),
  } as unknown as ModelInfo;
  const calls = modelCalls({
    config: parsed,
    logits: task === 'mlm' ? parsed.vocab_size : parsed.labels.length,
    hasPooler: false,
    sentence: {
      chains: { any: chainOf([poolingModule(['mean'])], parsed.hidden_size) },
      refused: {},
      output: 'sentence_embedding',
      similarity: 'cosine',
      prompts: {},
      ...sentence,
    } as SentenceConfig,
    info,
    tokenizer,
    where: 'the test',
    spaces: { of: spacesNamed('test/float', false) },
    async submit(items, { signal, onProgress } = {}) {
      signal?.throwIfAborted();
      submitted.push(...items);
      for (const item of items) {
        for (const wanted of item.wanted) {
          const rows = answer(item, wanted);
          wanted.deliver(Float32Array.from(rows.flat()), rows[0]?.length ?? 0);
        }
      }
      const totalTokens = items.reduce((sum, { ids }) => sum + ids.length, 0);
      onProgress?.({ done: items.length, total: items.length, tokens: totalTokens, totalTokens });
    },
  });
  return { calls, submitted };
}
