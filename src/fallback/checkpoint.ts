/** A checkpoint's own files but for its weights: what a model without a GPU is made of beside the ONNX file. */
import { UnsupportedModelError } from '../api/errors';
import type { LoadOptions } from '../api/types';
import { fieldsOf } from '../formats/json-fields';
import { inFolder, type ModelFiles } from '../formats/model-files';
import { missingFile, readJson } from '../formats/read';
import { ACTIVATE, add, layerNorm, linear } from '../kernels/twins';
import type { Applies } from '../model/cpu-sequence';
import { readModelConfig } from '../model/families/registry';
import { isPooling } from '../model/modules/pooling';
import { type InputModule, type Pipeline, readPipeline } from '../model/pipeline';
import { readSentenceConfig, type SentenceConfig } from '../model/sentence';
import { tableModules } from '../model/table-modules';
import { everyLoad } from '../session/every-load';

export type Checkpoint = Awaited<ReturnType<typeof readCheckpoint>>;

/** Throws ModelFileError and UnsupportedModelError. */
export async function readCheckpoint(root: ModelFiles, options: LoadOptions) {
  const pipeline = await readPipeline(root, options);
  const { path, chains } = transformerOf(pipeline);
  const files = inFolder(root, path);
  const read = (name: string) => readJson(files, name, options);
  const [found, tokenizerJson, tokenizerConfig] = await Promise.all([
    files === root ? pipeline.config : read('config.json'),
    read('tokenizer.json'),
    read('tokenizer_config.json'),
  ]);
  if (found === undefined) throw missingFile(files, 'config.json');
  const { json } = fieldsOf('config.json', found);
  const { family, config } = await readModelConfig(json);
  const from = { root, files, pipeline, entries: chains, hidden_size: config.hidden_size, config: json };
  const sentence = await readSentenceConfig(from, options);
  const { maxTokensOf, tokenizerOf } = everyLoad;
  return {
    where: files.where,
    pipeline,
    json,
    family,
    config,
    sentence,
    applies: await appliesOf(root, sentence, config.hidden_size, options),
    tokenizer: tokenizerJson === undefined ? undefined : tokenizerOf(tokenizerJson, tokenizerConfig, config, sentence),
    maxTokens: maxTokensOf(options.maxLength, config, sentence, tokenizerConfig),
  };
}

export const unsupported = (what: string): UnsupportedModelError =>
  new UnsupportedModelError(`Without WebGPU, by transformers.js, ${what} cannot be used.`);

/** The one that reads the texts. */
function transformerOf({ inputs, gliner }: Pipeline): InputModule {
  if (gliner) throw unsupported('GLiNER models');
  if (inputs.length > 1) throw unsupported('checkpoints that have a model of its own for each kind of text');
  if (inputs[0].kind === 'Transformer') return inputs[0];
  throw new UnsupportedModelError(
    'This checkpoint is a table of tokens, which needs no WebGPU: load it without the option force.',
  );
}

/** What modules after a Pooling that have tensors make of a row. */
async function appliesOf(
  root: ModelFiles,
  { chains, output }: SentenceConfig,
  hidden_size: number,
  options: LoadOptions,
): Promise<Applies> {
  const twins = async () => ({ ACTIVATE, add, layerNorm, linear });
  const all: Applies = new Map();
  for (const { modules } of Object.values(chains)) {
    const [first, ...others] = modules;
    const other = others.find(({ kind }) => !['Dense', 'LayerNorm', 'Normalize'].includes(kind));
    if (!isPooling(first) || other || output !== 'sentence_embedding') {
      throw unsupported(`a checkpoint with these modules (${modules.map(({ kind }) => kind).join(', ')})`);
    }
    const own = await tableModules(root, { modules: others, before: first.columns(hidden_size) }, twins, options);
    for (const [path, apply] of own) all.set(path, apply);
  }
  return all;
}
