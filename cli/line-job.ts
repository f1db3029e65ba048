/** Runs JSON lines through a model, batch by batch: while one batch is computed, the previous one is written. */
import type { CallOptions, Model } from 'modernbert-webgpu/node';
import { fieldSources } from './field-sources';
import { type Input, LINE_LIMIT, type Line, LineError, parseRow, type Row } from './input';
import { type Output, outputLine } from './output';
import type { Progress } from './progress';
import { linesOf, skippedLines } from './skipped-lines';

/** What a command does with its lines. */
export interface LineJob<T> {
  /** Names of the fields that `run` returns. */
  writes: string[];
  /** A line as input for the model; throws `row.error(…)` if it is invalid. */
  read(row: Row): T;
  /** The fields of the output lines, in the order of `inputs`. */
  run(model: Model, inputs: T[], options: CallOptions): Promise<object[]>;
  /** An input that nothing is wrong with: if the model refuses it too, the options are at fault. */
  sample(model: Model): T;
}

export interface RunOptions {
  load(signal: AbortSignal): Promise<Model>;
  input: Input;
  output: Output;
  progress: Progress;
  /** Lines per batch. */
  batch: number;
  /** Input fields to copy to the output. */
  keep: string[];
  signal: AbortSignal;
  truncate: boolean;
  /** Stop at the first invalid line. */
  strict: boolean;
  /** Prints a line for the user. */
  warn(text: string): void;
}

/** Output of a batch: of all lines, or of those before `failure`. */
interface Computed {
  text: string;
  /** Lines with a result. */
  computed: number;
  skipped: LineError[];
  /** Offset of the end of the batch in the input, in bytes. */
  end: number;
  failure?: unknown;
}

/** A line that was read, or why not. */
interface Entry<T> {
  line: Line;
  kept: [name: string, json: string][];
  input: T | LineError;
}

/**
 * Resolves when everything is written; an invalid line has `error` in place of a result. Rejects if all lines are invalid. On an error or
 * an abort, the output still consists of whole lines.
 */
export async function runLines<T>(job: LineJob<T>, options: RunOptions): Promise<void> {
  const { input, output, progress, warn } = options;
  let model: Model | undefined;
  let computed = 0;
  const skipped = skippedLines();
  const written = () => linesOf(computed + skipped.count);
  const write = async ({ text, end, failure, ...batch }: Computed) => {
    if (text) await output.write(text);
    computed += batch.computed;
    for (const error of batch.skipped) skipped.add(error);
    if (failure) throw failure;
    progress.show(input.size && end / input.size, written());
  };
  /** Whether the model has taken any input with these options. */
  const state = { works: false };
  try {
    let before: Promise<Computed> | undefined;
    for await (const lines of inBatches(input.lines, options.batch, output.done)) {
      model ??= await options.load(options.signal);
      const next = compute(job, model, lines, options, state);
      if (before) await write(await before);
      before = next;
    }
    if (before) await write(await before);
    progress.end(`${written()}${output.done ? ` after line ${output.done}` : ''}`);
  } finally {
    if (skipped.count > 0) warn(skipped.summary());
    await model?.dispose();
  }
  if (skipped.count > 0 && computed === 0 && output.done === 0) throw new Error('No line of the input is valid.');
}

/** Batches of the lines after line `done`, with less than two lines' limit of bytes. */
async function* inBatches(lines: AsyncIterable<Line>, size: number, done: number): AsyncGenerator<Line[]> {
  let batch: Line[] = [];
  let bytes = 0;
  for await (const line of lines) {
    if (line.number <= done) continue;
    batch.push(line);
    bytes += line.bytes?.length ?? 0;
    if (batch.length < size && bytes < LINE_LIMIT) continue;
    yield batch;
    batch = [];
    bytes = 0;
  }
  if (batch.length > 0) yield batch;
}

/** Never rejects, so that it can run while the previous batch is being written. */
async function compute<T>(
  job: LineJob<T>,
  model: Model,
  lines: Line[],
  options: RunOptions,
  state: { works: boolean },
): Promise<Computed> {
  const result: Computed = { text: '', computed: 0, skipped: [], end: lines[lines.length - 1].end };
  try {
    const entries = lines.map((line) => readEntry(job, line, options));
    const results = await resultsOf(job, model, entries, options, state);
    for (const [i, { line, kept }] of entries.entries()) {
      const own = results[i];
      if (own instanceof LineError) {
        if (options.strict) throw own;
        result.skipped.push(own);
      } else result.computed++;
      result.text += outputLine(line.number, kept, own instanceof LineError ? { error: own.reason } : own);
    }
  } catch (failure) {
    result.failure = failure;
  }
  return result;
}

function readEntry<T>(job: LineJob<T>, line: Line, { input, keep }: RunOptions): Entry<T> {
  let kept: Entry<T>['kept'] = [];
  try {
    const row = parseRow(line, input.name);
    if (keep.some((name) => Object.hasOwn(row.value, name))) {
      const sources = fieldSources(row.json);
      kept = keep.filter((name) => sources.has(name)).map((name) => [name, sources.get(name)!]);
    }
    return { line, kept, input: job.read(row) };
  } catch (error) {
    if (!(error instanceof LineError)) throw error;
    return { line, kept, input: error };
  }
}

/** What each entry gives. If the model refuses one of several, each half is run by itself, and so on. */
async function resultsOf<T>(
  job: LineJob<T>,
  model: Model,
  entries: Entry<T>[],
  options: RunOptions,
  state: { works: boolean },
): Promise<(object | LineError)[]> {
  const wrong = entries.findIndex((entry) => entry.input instanceof LineError);
  // A strict job ends there, so that the lines after it need not be computed.
  const wanted = options.strict && wrong >= 0 ? entries.slice(0, wrong) : entries;
  const valid = wanted.filter((entry) => !(entry.input instanceof LineError));
  const inputs = valid.map((entry) => entry.input as T);
  const call = { signal: options.signal, truncate: options.truncate };

  const run = async (from: number, to: number): Promise<(object | LineError)[]> => {
    if (from === to) return [];
    let refusal: Error;
    try {
      const results = await job.run(model, inputs.slice(from, to), call);
      state.works = true;
      return results;
    } catch (error) {
      if (!isAboutText(error)) throw error;
      refusal = error;
    }
    if (to - from === 1) {
      if (!state.works) await job.run(model, [job.sample(model)], call);
      state.works = true;
      const reason = refusal.message.replace(/^Text 0\b/, 'the text');
      return [new LineError(options.input.name, valid[from].line.number, reason, { cause: refusal })];
    }
    const middle = Math.ceil((from + to) / 2);
    const first = await run(from, middle);
    if (options.strict && first.some((result) => result instanceof LineError)) return first;
    return [...first, ...(await run(middle, to))];
  };
  const results = (await run(0, inputs.length)).values();
  return entries.map(({ input }) => (input instanceof LineError ? input : results.next().value!));
}

/** Whether the model refused an input, or has no answer to it. */
const isAboutText = (error: unknown): error is Error =>
  error instanceof RangeError || error instanceof TypeError || (error as Error).name === 'NumericError';
