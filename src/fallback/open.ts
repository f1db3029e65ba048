/** A model by transformers.js: the checkpoint's own files but for its weights, which come from an ONNX file. */
import { disposedError, NumericError, UnsupportedModelError } from '../api/errors';
import type { LoadOptions, Model, ModelInfo, ModelSource, Task } from '../api/types';
import { fieldsOf } from '../formats/json-fields';
import { inFolder } from '../formats/model-files';
import { missingFile, readJson } from '../formats/read';
import { ACTIVATE, add, layerNorm, linear } from '../kernels/twins';
import { dtypeNamed } from '../model/choose-dtype';
import type { ModelConfig } from '../model/config';
import { readModelConfig } from '../model/families/registry';
import type { Family } from '../model/family';
import { taskOf } from '../model/heads/tasks';
import { isPooling } from '../model/modules/pooling';
import { type Pipeline, readPipeline } from '../model/pipeline';
import { readSentenceConfig } from '../model/sentence';
import { tableModules } from '../model/table-modules';
import { createScheduler } from '../runtime/scheduler';
import { everyLoad } from '../session/every-load';
import { infoOf } from '../session/load-runtime';
import { fixed } from '../session/opener';
import { openFiles } from '../sources/source';
import { modelCalls } from '../tasks/calls';
import type { Spaces } from '../tasks/common';
import { BATCH_TOKENS, hiddenStates, onnxRun } from './run';
import { DESCRIPTION, type OnnxSession, openSession, placeOf, transformersJs } from './transformers-js';

type Options = LoadOptions & { onnx?: string | URL };

/** Throws as loadModel does, and a WebGPUUnavailableError for what runs with WebGPU alone. */
export async function openFallback(source: ModelSource, options: Options): Promise<Model> {
  const { signal, adapter, adapters, token, onnx } = options;
  signal?.throwIfAborted();
  if (adapter !== undefined || adapters !== undefined) throw unsupported('LoRA adapters');
  if (token !== undefined) throw unsupported('repositories that need a token');
  const library = await transformersJs();
  const { env } = library;
  if (options.hubUrl !== undefined) env.remoteHost = `${String(options.hubUrl).replace(/\/+$/, '')}/`;
  const place = placeOf(onnx ?? source, library);
  const root = openFiles(source, { ...options, hubUrl: env.remoteHost });
  const pipeline = await readPipeline(root, options);
  const [{ path, chains }] = transformersOf(pipeline);
  const files = inFolder(root, path);
  const json = files === root ? pipeline.config : await readJson(files, 'config.json', options);
  if (json === undefined) throw missingFile(files, 'config.json');
  const { json: configJson } = fieldsOf('config.json', json);
  const { family, config } = await readModelConfig(json);
  const { hidden_size } = config;
  const sentence = await readSentenceConfig(
    { root, files, pipeline, entries: chains, hidden_size, config: configJson },
    options,
  );
  const applies = await modulesOf();
  const { maxTokensOf, promptNamesOf, spacesOf, tokenizerOf } = everyLoad;
  const [tokenizerJson, tokenizerConfig] = await Promise.all([
    readJson(files, 'tokenizer.json', options),
    readJson(files, 'tokenizer_config.json', options),
  ]);
  const tokenizer =
    tokenizerJson === undefined ? undefined : tokenizerOf(tokenizerJson, tokenizerConfig, config, sentence);
  const asked = dtypeNamed(options.dtype ?? 'auto');
  const dtype = asked === 'auto' ? 'q8' : asked;
  const revision = onnx === undefined ? (root.identity?.commit ?? options.revision) : undefined;
  const session = await openSession(library, place, { dtype, revision, onProgress: options.onProgress, signal });
  try {
    const task = sessionTask(family, config, session, options.task);
    const logits = logitsOf(task, config);
    const maxTokens = maxTokensOf(options.maxLength, config, sentence, tokenizerConfig);
    const gpu = {
      info: { vendor: '', architecture: '', device: '', description: DESCRIPTION },
      profile: { name: 'software' as const },
    };
    const info: ModelInfo = {
      ...infoOf(
        configJson,
        { config, task, dtype, act: 'f32', compute: 'float', logits },
        sentence,
        gpu,
        [],
        Math.max(maxTokens, BATCH_TOKENS),
      ),
      maxTokens,
      maskToken: tokenizer?.maskToken,
      promptNames: promptNamesOf(sentence.prompts),
      fallback: 'transformers.js',
      commit: root.identity?.commit,
      cache: { state: 'off', reason: 'transformers.js keeps its files itself' },
    };
    const spaces: Spaces = { of: await spacesOf(root, pipeline, [info], signal) };
    const padId = config.padding_idx ?? 0; // it is masked: only models that count positions by it care which it is
    const run = onnxRun({ session, task, hidden_size, logits: logits.columns, padId, applies });
    let running: Promise<unknown> = Promise.resolve();
    const scheduler = createScheduler({
      run(...pass) {
        const result = run(...pass);
        running = result.catch(() => {});
        return result;
      },
      maxTokensPerPass: () => info.maxTokensPerPass,
      wrongAnswer: ({ name = 'A sequence' }, problem) => new NumericError(`${name} has no answer: ${problem}.`),
    });
    let disposed = false;
    const calls = modelCalls({
      config,
      logits: logits.columns,
      hasPooler: false,
      sentence,
      info,
      tokenizer,
      where: files.where,
      spaces,
      async submit(items, control) {
        if (disposed) throw disposedError();
        await scheduler.submit(items, control);
      },
    });
    return fixed({
      info,
      ...calls,
      memory: () => ({ weights: 0, activations: 0, peak: 0 }),
      async dispose() {
        if (disposed) return;
        disposed = true;
        scheduler.stop(disposedError());
        await running;
        await session.dispose();
      },
    });
  } catch (error) {
    await session.dispose();
    throw error;
  }

  /** What modules after the Pooling make of a row. */
  async function modulesOf() {
    const twins = async () => ({ ACTIVATE, add, layerNorm, linear });
    const all = Object.values(sentence.chains).map(async ({ modules: [first, ...modules] }) => {
      const others = modules.find(({ kind }) => !['Dense', 'LayerNorm', 'Normalize'].includes(kind));
      if (!isPooling(first) || others || sentence.output !== 'sentence_embedding') {
        throw unsupported(`the module ${(isPooling(first) && others ? others : first).kind} of this checkpoint`);
      }
      return tableModules(root, { modules, before: first.columns(hidden_size) }, twins, options);
    });
    return new Map((await Promise.all(all)).flatMap((applies) => [...applies]));
  }
}

const unsupported = (what: string) =>
  new UnsupportedModelError(`Without WebGPU, by transformers.js, ${what} cannot be used.`);

/** The one Transformer. */
function transformersOf({ inputs, gliner }: Pipeline): Pipeline['inputs'] {
  if (gliner) throw unsupported('GLiNER models');
  if (inputs.length > 1) throw unsupported('models for queries and documents of their own');
  if (inputs[0].kind === 'Transformer') return inputs;
  throw new UnsupportedModelError(
    'This checkpoint is a table of tokens, which needs no WebGPU: load it without the option force.',
  );
}

/** What the checkpoint's head computes, as far as the ONNX file has it. */
function sessionTask(family: Family, config: ModelConfig, session: OnnxSession, asked: Task | undefined): Task {
  const { outputs, where } = session;
  const has = (name: string) => outputs.includes('logits') && family.heads!.tensors.mlm.includes(name);
  const task = taskOf(config, family, { has }, asked);
  const needed = task === 'qa' ? 'start_logits' : task === 'encoder' ? 'last_hidden_state' : 'logits';
  if (task === 'encoder' ? hiddenStates(session) : outputs.includes(needed)) return task;
  throw new UnsupportedModelError(
    `${where} returns ${outputs.join(', ')}, not ${needed}: it is no export of this checkpoint's head.`,
  );
}

function logitsOf(task: Task, { vocab_size, labels }: ModelConfig): { columns: number; labels: string[] } {
  if (task === 'encoder') return { columns: 0, labels: [] };
  if (task === 'mlm') return { columns: vocab_size, labels: [] };
  const names = task === 'qa' ? ['start', 'end'] : labels.length > 0 ? labels : ['LABEL_0', 'LABEL_1'];
  return { columns: names.length, labels: names };
}
