/**
 * Feeds mutated files to the parsers: npm run fuzz -- [--seconds 60] [--target NAME] [--seed 1] [--count N]
 * The time is for all targets together, or N mutations for each. A failing input is made smaller and stored in fuzz/corpus, which the tests
 * replay; then the exit status is 1. The same seed gives the same inputs.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { smaller } from './minimise';
import { randomOf } from './random';
import { type Failure, failureOf, MOST_SECONDS, type Target } from './target';
import { TARGETS } from './targets';

/** A worker that reports nothing for so long hangs. */
const HANG_SECONDS = 10 * MOST_SECONDS;
/** Old generation of a worker, in MiB. */
const MOST_HEAP = 1024;
/** Failures of a target after which it stops. */
const MOST_FAILURES = 20;

interface Task {
  target: string;
  seed: number;
  /** The mutations to run, or one input. */
  from?: number;
  to?: number;
  input?: Uint8Array<ArrayBuffer>;
}

const inputOf = (target: Target, seed: number, index: number): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(target.mutate(target.seeds, randomOf(seed * 1_000_003 + index)));

async function work({ target: name, seed, from = 0, to = 1, input }: Task): Promise<void> {
  const target = TARGETS.find((known) => known.name === name)!;
  for (let index = from; index < to; index++) {
    parentPort!.postMessage({ index });
    const failure = await failureOf(target, input ?? inputOf(target, seed, index));
    if (failure) parentPort!.postMessage({ index, failure });
  }
}

/** Runs a task in a worker; `onFailure` takes each failure, a hang and a crash too. Resolves to the first index that did not run. */
function runTask(task: Task, deadline: number, onFailure: (index: number, failure: Failure) => void): Promise<number> {
  const worker = new Worker(fileURLToPath(import.meta.url), {
    workerData: task,
    resourceLimits: { maxOldGenerationSizeMb: MOST_HEAP },
  });
  let index = task.from ?? 0;
  let last = performance.now();
  return new Promise((resolve) => {
    const finish = (next: number) => {
      clearInterval(watch);
      void worker.terminate();
      resolve(next);
    };
    const fail = (kind: Failure['kind'], message: string) => {
      onFailure(index, { kind, message });
      finish(index + 1);
    };
    const watch = setInterval(() => {
      if (performance.now() - last > HANG_SECONDS * 1000) fail('hang', `over ${HANG_SECONDS} s`);
      else if (performance.now() > deadline) finish(index);
    }, 100);
    worker.on('message', (report: { index: number; failure?: Failure }) => {
      ({ index } = report);
      last = performance.now();
      if (report.failure) onFailure(index, report.failure);
    });
    worker.on('error', (error) => fail('memory', String(error)));
    worker.on('exit', () => finish(task.to ?? 1));
  });
}

/** What failures are told apart by: the class of the error and where it was thrown. */
const keyOf = ({ kind, message }: Failure): string =>
  kind === 'unnamed error' ? message.replace(/\d+/g, '').split('\n').slice(0, 2).join() : kind;

async function fuzz(target: Target, seed: number, count: number, seconds: number): Promise<number> {
  const start = performance.now();
  const found = new Map<string, { input: Uint8Array<ArrayBuffer>; failure: Failure }>();
  let failures = 0;
  let index = 0;
  while (index < count && performance.now() - start < seconds * 1000 && found.size < MOST_FAILURES) {
    const task = { target: target.name, seed, from: index, to: Math.min(count, index + 100_000) };
    index = await runTask(task, start + seconds * 1000, (at, failure) => {
      failures++;
      if (!found.has(keyOf(failure))) found.set(keyOf(failure), { input: inputOf(target, seed, at), failure });
    });
  }
  const took = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${target.name}: ${index} mutations in ${took} s, ${failures} failed in ${found.size} ways`);
  for (const [key, { input, failure }] of found) {
    const fails = async (candidate: Uint8Array<ArrayBuffer>): Promise<boolean> => {
      let again = false;
      await runTask({ target: target.name, seed, input: candidate }, Infinity, (_, other) => {
        again ||= keyOf(other) === key;
      });
      return again;
    };
    const small = await smaller(input, fails, failure.kind === 'hang' ? 10 : 150);
    const name = `${createHash('sha256').update(small).digest('hex').slice(0, 12)}.${target.extension}`;
    const folder = join(process.cwd(), 'fuzz/corpus', target.name);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, name), small);
    console.log(
      `  ${failure.kind}: ${failure.message}\n  → fuzz/corpus/${target.name}/${name} (${small.length} bytes)`,
    );
  }
  return failures;
}

if (isMainThread) {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '60' },
      count: { type: 'string', default: 'Infinity' },
      seed: { type: 'string', default: '1' },
      target: { type: 'string' },
    },
  });
  const chosen = TARGETS.filter(({ name }) => values.target === undefined || name === values.target);
  const [seconds, count, seed] = [values.seconds, values.count, values.seed].map(Number);
  if (chosen.length === 0 || !(seconds > 0) || !(count > 0) || !Number.isInteger(seed)) {
    console.error(
      `--target is one of ${TARGETS.map(({ name }) => name).join(', ')}; --seconds, --count, --seed are numbers.`,
    );
    process.exit(2);
  }
  let failures = 0;
  for (const target of chosen) failures += await fuzz(target, seed, count, seconds / chosen.length);
  process.exit(failures > 0 ? 1 : 0);
} else await work(workerData as Task);
