/** Searches that score every document of a corpus for all queries, in the order of the corpus. */
import type { Metric, Model, Vectors } from 'modernbert-webgpu/node';
import { inBatches, maxSim, similarity, sparseDot } from 'modernbert-webgpu/node';
import type { Corpus, Query } from './beir';
import { bm25 } from './bm25';
import { type Loader, promptFor } from './models';
import type { Meter, ModelSummary } from './summary';

export const METRICS = ['cosine', 'dot', 'euclidean', 'manhattan'] as const;

export interface Search {
  /** undefined for BM25. */
  model: ModelSummary | undefined;
  /** Only scores above 0 count. */
  positive: boolean;
  /** A score for each query, of each text. */
  scores(texts: AsyncIterable<string>): AsyncGenerator<ArrayLike<number>>;
  close(): Promise<void>;
}

export interface SearchOptions {
  queries: readonly Query[];
  corpus: Corpus;
  batch: number;
  signal: AbortSignal;
  meter: Meter;
}

export interface Prompts {
  query: string | undefined;
  document: string | undefined;
}

export interface DenseOptions {
  prompts: Prompts;
  /** Default: the checkpoint's. */
  metric?: Metric;
  dimensions?: number;
}

type OpenSearch = (options: SearchOptions) => Promise<Search>;

/** Loads the model; of a failure before the search is returned, it is disposed. */
const withModel =
  (loader: Loader, open: (model: Model, options: SearchOptions) => Promise<Omit<Search, 'close'>>): OpenSearch =>
  async (options) => {
    const model = await loader.load(options.signal);
    try {
      return { ...(await open(model, options)), close: () => model.dispose() };
    } catch (error) {
      await model.dispose();
      if ((error as Error).name !== 'UnsupportedModelError') throw error;
      throw new Error(`${(error as Error).message} Choose another --mode.`, { cause: error });
    }
  };

/** One vector per text. */
export const denseSearch = (loader: Loader, { prompts, metric, dimensions }: DenseOptions): OpenSearch =>
  withModel(loader, async (model, { queries, batch: size, signal, meter }) => {
    const { pooling, similarity: own } = model.info;
    const by = metric ?? (own === 'MaxSim' ? 'cosine' : own);
    // Cosines are products of unit vectors. The checkpoint's own metric has its own lengths; another one those of the pooled states.
    const normalize = by === 'cosine' ? true : by === own ? undefined : false;
    const compare = normalize ? 'dot' : by;
    const [query, document] = (['query', 'document'] as const).map((kind) => promptFor(model, kind, prompts[kind]));
    const call = (kind: typeof query) => ({ ...kind.options, normalize, dimensions, truncate: true });
    const vectors = await collect(queries, { size, signal }, (texts, options) =>
      model.embed(texts, { ...call(query), ...options, onProgress: meter.listener() }),
    );
    const all = embeddingsOf(vectors);
    const more = {
      embeddingSize: all.dim,
      pooling,
      similarity: by,
      prompts: { query: query.prompt, document: document.prompt },
    };
    return {
      model: loader.summary(model, more),
      positive: false,
      async *scores(texts) {
        const embed = (batch: string[], options: { signal: AbortSignal }) =>
          model.embed(batch, { ...call(document), ...options, onProgress: meter.listener() });
        for await (const row of inBatches(texts, embed, { size, signal })) {
          yield similarity(embeddingsOf([row]), all, compare)[0];
        }
      },
    };
  });

/** One vector per token, compared by MaxSim. */
export const multiVectorSearch = (loader: Loader, { prompts }: Pick<DenseOptions, 'prompts'>): OpenSearch =>
  withModel(loader, async (model, { queries, batch: size, signal, meter }) => {
    const [query, document] = (['query', 'document'] as const).map((kind) => promptFor(model, kind, prompts[kind]));
    const all = await collect(queries, { size, signal }, (texts, options) =>
      model.embedMultiVector(texts, { ...query.options, ...options, truncate: true, onProgress: meter.listener() }),
    );
    const { embeddingSize, multiVector } = model.info;
    const more = {
      embeddingSize,
      similarity: 'MaxSim',
      ...multiVector,
      prompts: { query: query.prompt, document: document.prompt },
    };
    return {
      model: loader.summary(model, more),
      positive: false,
      async *scores(texts) {
        const embed = (batch: string[], options: { signal: AbortSignal }) =>
          model.embedMultiVector(batch, {
            ...document.options,
            ...options,
            truncate: true,
            onProgress: meter.listener(),
          });
        for await (const vectors of inBatches(texts, embed, { size, signal })) {
          yield all.map((query) => maxSim(query, vectors));
        }
      },
    };
  });

/** A weight per token of the vocabulary, compared by dot product. */
export const sparseSearch = (loader: Loader, { prompts }: Pick<DenseOptions, 'prompts'>): OpenSearch =>
  withModel(loader, async (model, { queries, batch: size, signal, meter }) => {
    const [query, document] = (['query', 'document'] as const).map((kind) => promptFor(model, kind, prompts[kind]));
    const all = await collect(queries, { size, signal }, (texts, options) =>
      model.embedSparse(texts, { ...query.options, ...options, truncate: true, onProgress: meter.listener() }),
    );
    const more = { similarity: 'dot', prompts: { query: query.prompt, document: document.prompt } };
    return {
      model: loader.summary(model, more),
      positive: true,
      async *scores(texts) {
        const embed = (batch: string[], options: { signal: AbortSignal }) =>
          model.embedSparse(batch, { ...document.options, ...options, truncate: true, onProgress: meter.listener() });
        for await (const row of inBatches(texts, embed, { size, signal })) {
          yield all.map((query) => sparseDot(query, row));
        }
      },
    };
  });

/** Words instead of a model. */
export const bm25Search: OpenSearch = async ({ queries, corpus, signal }) => {
  const texts = queries.map(({ text }) => text);
  const score = await bm25(texts, corpus.texts(0, signal));
  return {
    model: undefined,
    positive: true,
    async *scores(documents) {
      for await (const text of documents) yield score(text);
    },
    close: async () => {},
  };
};

interface Rows<R> {
  rows: number;
  row(i: number): R;
}
type BatchOptions = { size: number; signal: AbortSignal };

/** What each query gives. */
async function collect<R>(
  queries: readonly Query[],
  batch: BatchOptions,
  call: (texts: string[], options: { signal: AbortSignal }) => Promise<R[] | Rows<R>>,
): Promise<R[]> {
  const found: R[] = [];
  const asList = async (texts: string[], options: { signal: AbortSignal }): Promise<R[]> => {
    const rows = await call(texts, options);
    return Array.isArray(rows) ? rows : Array.from({ length: rows.rows }, (_, i) => rows.row(i));
  };
  const texts = queries.map(({ text }) => text);
  for await (const row of inBatches(texts, asList, batch)) found.push(row);
  return found;
}

/** Rows as embeddings. */
export function embeddingsOf(rows: readonly Float32Array[]): Vectors {
  const dim = rows[0].length;
  const data = rows.length === 1 ? rows[0] : new Float32Array(rows.length * dim);
  if (rows.length > 1) for (const [i, row] of rows.entries()) data.set(row, i * dim);
  return { data, rows: rows.length, dim, row: (i) => data.subarray(i * dim, (i + 1) * dim) };
}
