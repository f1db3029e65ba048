/// <reference lib="webworker" />
// Runs the benchmark off the page's thread.
import { randomCheckpoint } from '../../tools/random-checkpoint.mjs';
import { CASES, type Case } from '../cases';
import type { BenchModel } from '../models';
import base from '../shapes/base.json';
import { runSuite } from '../suite';
import type { Answer, Job } from './messages';

const post = (answer: Answer) => postMessage(answer);
const log = (line: string) => post({ log: line });

/** Further lengths for the page's chart of speed against length. */
const LENGTHS = [32, 128, 2048].map((limit): Case => ({ name: `fixed-${limit}`, kind: 'fixed', limit }));

/** A checkpoint of ModernBERT-base's shape with random f16 weights. */
function baseModel(): BenchModel {
  post({ step: { what: "Making random weights of ModernBERT-base's shape" } });
  const { config, parts } = randomCheckpoint(base as Parameters<typeof randomCheckpoint>[0], 'F16');
  const source = { 'config.json': new Blob([config]), 'model.safetensors': new Blob([...parts()]) };
  return { name: 'base', source, isSmall: false };
}

async function run({ nano, models, tokens, repeats, bars }: Job): Promise<Answer> {
  try {
    const { gpu } = navigator;
    const adapter = await gpu?.requestAdapter({ powerPreference: 'high-performance' });
    const hasTimestamps = adapter?.features.has('timestamp-query') ?? false;
    if (!hasTimestamps) log('This device does not support timestamp-query, so single kernels are not timed.');
    const done = await runSuite({
      gpu,
      models: models.map((name) => (name === 'nano' ? { name, source: nano, isSmall: true } : baseModel())),
      cases: [...LENGTHS, ...CASES],
      tokens,
      repeats,
      queryRepeats: repeats && repeats * 5,
      kernels: hasTimestamps,
      bars: bars && hasTimestamps,
      log,
      onStep: (step) => post({ step }),
    });
    return { done };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

addEventListener('message', ({ data }: MessageEvent<Job>) => void run(data).then(post));
