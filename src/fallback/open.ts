/** A model by transformers.js: the calls, the tokenizer and the queue of a model on a GPU, and an ONNX file in its place. */
import { disposedError, NumericError, UnsupportedModelError } from '../api/errors';
import type { Dtype, LoadOptions, Model, ModelInfo, ModelSource, Task } from '../api/types';
import type { ModelFiles } from '../formats/model-files';
import { dtypeNamed } from '../model/choose-dtype';
import type { ModelConfig } from '../model/config';
import { taskOf } from '../model/heads/tasks';
import { createScheduler } from '../runtime/scheduler';
import { everyLoad } from '../session/every-load';
import { infoOf } from '../session/load-runtime';
import { fixed } from '../session/opener';
import { openFiles } from '../sources/source';
import { modelCalls } from '../tasks/calls';
import type { Parts } from '../tasks/common';
import { type Checkpoint, readCheckpoint, unsupported } from './checkpoint';
import { hiddenStates, onnxRun } from './run';
import { DESCRIPTION, type OnnxSession, openSession, placeOf, transformersJs } from './transformers-js';

/** Throws as loadModel does, and a WebGPUUnavailableError if transformers.js is not installed. */
export async function openFallback(
  source: ModelSource,
  { onnx, ...options }: LoadOptions & { onnx?: string | URL },
): Promise<Model> {
  const { signal, adapter, adapters, token, hubUrl, onProgress } = options;
  signal?.throwIfAborted();
  if (adapter !== undefined || adapters !== undefined) throw unsupported('LoRA adapters');
  if (token !== undefined) throw unsupported('repositories that need a token');
  const asked = dtypeNamed(options.dtype ?? 'auto');
  const dtype = asked === 'auto' ? 'q8' : asked;
  const library = await transformersJs();
  const { env } = library;
  if (hubUrl !== undefined) env.remoteHost = `${hubUrl.replace(/\/+$/, '')}/`;
  const place = placeOf(onnx ?? source, library);
  const files = openFiles(source, { ...options, hubUrl: env.remoteHost });
  const checkpoint = await readCheckpoint(files, options);
  const revision = onnx === undefined ? (files.identity?.commit ?? options.revision) : undefined;
  const session = await openSession(library, place, { dtype, revision, onProgress, signal });
  try {
    return await modelOf(files, checkpoint, session, dtype, options);
  } catch (error) {
    await session.dispose();
    throw error;
  }
}

async function modelOf(
  files: ModelFiles,
  checkpoint: Checkpoint,
  session: OnnxSession,
  dtype: Dtype,
  { task: asked, signal }: LoadOptions,
): Promise<Model> {
  const { where, pipeline, json, config, sentence, applies, tokenizer, maxTokens } = checkpoint;
  const task = sessionTask(checkpoint, session, asked);
  const logits = logitsOf(task, config);
  const built = { config, task, dtype, act: 'f32', compute: 'float', logits } as const;
  const none = { vendor: '', architecture: '', device: '', description: DESCRIPTION };
  const gpu = { info: none, profile: { name: 'software' } } as const;
  const info: ModelInfo = {
    ...infoOf(json, built, sentence, gpu, [], maxTokens),
    maxTokens,
    maskToken: tokenizer?.maskToken,
    promptNames: everyLoad.promptNamesOf(sentence.prompts),
    fallback: 'transformers.js',
    commit: files.identity?.commit,
    cache: { state: 'off', reason: 'transformers.js keeps its files itself' },
  };
  const run = onnxRun({ session, task, hidden_size: config.hidden_size, logits: logits.columns, applies });
  let running: Promise<unknown> = Promise.resolve();
  const scheduler = createScheduler({
    run(...pass) {
      const result = run(...pass);
      running = result.catch(() => {});
      return result;
    },
    maxTokensPerPass: () => maxTokens,
    wrongAnswer: ({ name = 'A sequence' }, problem) => new NumericError(`${name} has no answer: ${problem}.`),
  });
  let disposed = false;
  const parts: Parts = {
    config,
    logits: logits.columns,
    hasPooler: false,
    sentence,
    info,
    tokenizer,
    where,
    spaces: { of: await everyLoad.spacesOf(files, pipeline, [info], signal) },
    async submit(items, control) {
      if (disposed) throw disposedError();
      await scheduler.submit(items, control);
    },
  };
  const calls = modelCalls(parts);
  // Some exports have only logits: no embeddings.
  const warmed = hiddenStates(session) ? parts : { ...parts, sentence: { ...sentence, chains: {} } };
  return fixed({
    info,
    ...calls,
    release: async () => {}, // there is nothing on the GPU
    warm: () => everyLoad.warmUp(calls, warmed),
    memory: () => ({ weights: 0, activations: 0, peak: 0 }),
    async dispose() {
      if (disposed) return;
      disposed = true;
      scheduler.stop(disposedError());
      await running;
      await session.dispose();
    },
  });
}

/** What the checkpoint's head computes, as far as the ONNX file has it. Throws an UnsupportedModelError if that has nothing of it. */
function sessionTask({ config, family }: Checkpoint, session: OnnxSession, asked: Task | undefined): Task {
  const { outputs, where } = session;
  const has = (name: string) => outputs.includes('logits') && family.heads!.tensors.mlm.includes(name);
  const task = taskOf(config, family, { has }, asked);
  const needed = task === 'qa' ? 'start_logits' : task === 'encoder' ? 'last_hidden_state' : 'logits';
  if (task === 'encoder' ? hiddenStates(session) : outputs.includes(needed)) return task;
  throw new UnsupportedModelError(
    `${where} returns ${outputs.join(', ')}, not ${needed}: it was not exported with this checkpoint's head.`,
  );
}

function logitsOf(task: Task, { vocab_size, labels }: ModelConfig): { columns: number; labels: string[] } {
  if (task === 'encoder') return { columns: 0, labels: [] };
  if (task === 'mlm') return { columns: vocab_size, labels: [] };
  const names = task === 'qa' ? ['start', 'end'] : labels.length > 0 ? labels : ['LABEL_0', 'LABEL_1'];
  return { columns: names.length, labels: names };
}
