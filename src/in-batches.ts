import type { Precision, PrecisionData, SparseEmbeddings, SparseRow, Vectors } from './api/embeddings';
import { unlessAborted } from './api/errors';
import { checkOptions, type OptionNames } from './api/options';

export interface BatchOptions {
  /** Inputs per call of the model. Default 64. */
  size?: number;
  /** Ends the calls under way; the loop then throws its reason. */
  signal?: AbortSignal;
}

const OPTIONS: OptionNames<BatchOptions> = { size: true, signal: true };

/** Batches that are under way at one time: while the caller works on one, the next is computed. */
const AHEAD = 2;

/** What has a row per input. */
interface Rows {
  rows: number;
  row(i: number): unknown;
}

type Inputs<T> = AsyncIterable<T> | Iterable<T>;
/** A call of a model; its options have the signal that ends it when the loop is left. */
type BatchCall<T, R> = (batch: T[], options: { signal: AbortSignal }) => Promise<R>;

/**
 * The results of any number of inputs, one by one and in order, in flat memory: reads the inputs as they are needed and runs them in batches.
 *
 *     for await (const embedding of inBatches(lines, (texts, options) => model.embed(texts, options))) console.log(embedding.length);
 *
 * `call` returns a list with a result per input (classify, fillMask, …) or embeddings, whose rows are the results. Leaving the loop ends the calls
 * and the inputs. An error of a call or of the inputs is thrown in its turn; "Text 3" in its message counts within the batch.
 */
export function inBatches<T, D extends PrecisionData[Precision]>(
  inputs: Inputs<T>,
  call: BatchCall<T, Vectors<D>>,
  options?: BatchOptions,
): AsyncGenerator<D, void>;
export function inBatches<T>(
  inputs: Inputs<T>,
  call: BatchCall<T, SparseEmbeddings>,
  options?: BatchOptions,
): AsyncGenerator<SparseRow, void>;
export function inBatches<T, R>(
  inputs: Inputs<T>,
  call: BatchCall<T, R[]>,
  options?: BatchOptions,
): AsyncGenerator<R, void>;
export async function* inBatches<T, R>(
  inputs: Inputs<T>,
  call: BatchCall<T, R[] | Rows>,
  options: BatchOptions = {},
): AsyncGenerator<R, void> {
  checkOptions('inBatches', options, OPTIONS);
  const { size = 64, signal } = options;
  if (!Number.isInteger(size) || size < 1) throw new RangeError(`size must be a positive integer, it is ${size}.`);
  const left = new AbortController();
  const ends = { signal: signal ? AbortSignal.any([signal, left.signal]) : left.signal };
  const running: Promise<R[] | Rows>[] = [];
  const begin = (batch: T[]) => {
    const results = call(batch, ends);
    results.catch(() => {}); // thrown in its turn
    running.push(results);
  };
  const source: AsyncIterator<T> | Iterator<T> =
    (inputs as AsyncIterable<T>)[Symbol.asyncIterator]?.() ?? (inputs as Iterable<T>)[Symbol.iterator]();
  try {
    let batch: T[] = [];
    for (;;) {
      const { done, value } = await unlessAborted(Promise.resolve(source.next()), signal);
      if (done) break;
      if (batch.push(await value) < size) continue;
      begin(batch);
      batch = [];
      if (running.length === AHEAD) yield* resultsOf(await running.shift()!);
    }
    if (batch.length > 0) begin(batch);
    for (const results of running) yield* resultsOf(await results);
  } finally {
    left.abort();
    const closed = Promise.resolve(source.return?.());
    if (!signal?.aborted) await closed;
    else closed.catch(() => {}); // inputs that stall close when they go on
  }
}

function* resultsOf<R>(results: R[] | Rows): Generator<R> {
  if (Array.isArray(results)) yield* results;
  else for (let i = 0; i < results.rows; i++) yield results.row(i) as R;
}
