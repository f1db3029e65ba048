/** Runs JSON lines through a model, batch by batch: while one batch is computed, the previous one is written. */
import type { CallOptions, Model } from 'modernbert-webgpu/node';
import { type Input, type Line, parseRow, type Row } from './input';
import { type Output, outputLine } from './output';
import type { Progress } from './progress';

/** What a command does with its lines. */
export interface LineJob<T> {
  /** A line as input for the model; throws `row.error(…)` if it is invalid. */
  read(row: Row): T;
  /** The fields of the output lines, in the order of `inputs`. */
  run(model: Model, inputs: T[], options: CallOptions): Promise<object[]>;
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
}

/** Output of a batch: of all lines, or of those before `failure`. */
interface Computed {
  text: string;
  count: number;
  /** Offset of the end of the batch in the input, in bytes. */
  end: number;
  failure?: unknown;
}

/** Resolves when everything is written. On an error or an abort, the output still consists of whole lines. */
export async function runLines<T>(job: LineJob<T>, options: RunOptions): Promise<void> {
  const { input, output, progress } = options;
  let model: Model | undefined;
  let written = 0;
  const write = async ({ text, count, end, failure }: Computed) => {
    if (count > 0) await output.write(text);
    written += count;
    if (failure) throw failure;
    progress.show(input.size && end / input.size, linesOf(written));
  };
  try {
    let before: Promise<Computed> | undefined;
    for await (const lines of inBatches(input.lines, options.batch, output.done)) {
      model ??= await options.load(options.signal);
      const next = compute(job, model, lines, options);
      if (before) await write(await before);
      before = next;
    }
    if (before) await write(await before);
    progress.end(`${linesOf(written)}${output.done ? ` after line ${output.done}` : ''}`);
  } finally {
    await model?.dispose();
  }
}

/** Batches of the lines after line `done`. */
async function* inBatches(lines: AsyncIterable<Line>, size: number, done: number): AsyncGenerator<Line[]> {
  let batch: Line[] = [];
  for await (const line of lines) {
    if (line.number <= done) continue;
    batch.push(line);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** Never rejects, so that it can run while the previous batch is being written. */
async function compute<T>(job: LineJob<T>, model: Model, lines: Line[], options: RunOptions): Promise<Computed> {
  const rows: Row[] = [];
  const inputs: T[] = [];
  let broken: unknown;
  try {
    for (const line of lines) {
      const row = parseRow(line, options.input.name);
      inputs.push(job.read(row));
      rows.push(row);
    }
  } catch (error) {
    broken = error;
  }
  const { results, failure = broken } = await runInputs(job, model, rows, inputs, options);
  const text = results.map((result, i) =>
    outputLine(rows[i].line, { ...pick(rows[i].value, options.keep), ...result }),
  );
  return { text: text.join(''), count: text.length, end: lines[lines.length - 1].end, failure };
}

/** The results of all inputs. If the model refuses one, they are run one by one: the results of those before it. */
async function runInputs<T>(
  job: LineJob<T>,
  model: Model,
  rows: Row[],
  inputs: T[],
  options: RunOptions,
): Promise<{ results: object[]; failure?: unknown }> {
  if (inputs.length === 0) return { results: [] };
  try {
    return { results: await job.run(model, inputs, { signal: options.signal, truncate: options.truncate }) };
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof TypeError)) return { results: [], failure: error };
    if (inputs.length === 1) return { results: [], failure: rows[0].error(error.message) };
  }
  const results: object[] = [];
  for (const [i, row] of rows.entries()) {
    const { results: own, failure } = await runInputs(job, model, [row], [inputs[i]], options);
    if (failure) return { results, failure };
    for (const result of own) results.push(result);
  }
  return { results };
}

const pick = (value: Record<string, unknown>, names: string[]) =>
  Object.fromEntries(names.filter((name) => name in value).map((name) => [name, value[name]]));

const linesOf = (count: number): string => `${count.toLocaleString('en')} ${count === 1 ? 'line' : 'lines'}`;
