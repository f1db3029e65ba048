import { createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Command, type Invocation, type Option, UsageError, type Values } from '../command';
import { filesOf } from '../evaluate/beir';
import { bm25Search, denseSearch, METRICS, multiVectorSearch, sparseSearch } from '../evaluate/first-stage';
import { openJob } from '../evaluate/job';
import { loaderOf, withoutOwn } from '../evaluate/models';
import { metricsTable, type TableRow } from '../evaluate/report';
import { evaluateRetrieval, type RetrievalOptions, type Stage } from '../evaluate/retrieval';
import { FORMATS, openTable } from '../evaluate/table';
import { evaluateTable } from '../evaluate/tables';
import { statOf } from '../files';
import { MODEL_OPTIONS } from '../model';
import { version } from '../package.json';

const MODES = ['dense', 'multi-vector', 'sparse', 'hybrid'] as const;
const [BATCH, DEPTH, RERANKED, RECALL_AT] = [32, 1000, 100, [10, 100]];

const FOLDER_OPTIONS: Record<string, Option> = {
  split: { value: 'NAME', help: 'judgements to use, qrels/NAME.tsv (test)' },
  mode: { value: 'NAME', help: `${MODES.join(', ')} (dense)` },
  'sparse-model': { value: 'SOURCE', help: 'with --mode hybrid: a sparse model in place of BM25' },
  similarity: { value: 'NAME', help: `of dense vectors: ${METRICS.join(', ')} (as the checkpoint says)` },
  'query-prompt': { value: 'TEXT', help: "put before every query (the checkpoint's prompt)" },
  'document-prompt': { value: 'TEXT', help: "put before every document (the checkpoint's prompt)" },
  reranker: { value: 'SOURCE', help: 'a cross-encoder that ranks the first documents anew' },
  'rerank-top-k': { value: 'N', help: `documents per query that it reads (${RERANKED})` },
  depth: { value: 'N', help: `documents per query that each search keeps (${DEPTH})` },
  recall: { value: 'K,…', help: `recall among the first K documents (${RECALL_AT})` },
  'allow-missing': { help: 'judgements may name documents and queries that are not there' },
  run: { value: 'FILE', help: "write the ranking too, in trec_eval's format" },
};

const TABLE_OPTIONS: Record<string, Option> = {
  format: { value: 'NAME', help: `${FORMATS.join(', ')} (as the file's name ends)` },
  'no-header': { help: 'the first row is data; columns are called 1, 2, …' },
  'text-field': { value: 'NAME', help: 'column of the text (text)' },
  'pair-field': { value: 'NAME', help: 'column of the second text, for pairs' },
  'label-field': { value: 'NAME', help: 'column of the label' },
  'score-field': { value: 'NAME', help: 'column of the score, a number' },
  labels: { value: 'A,B', help: "the data's names of the model's labels, in their order" },
  positive: { value: 'LABEL', help: "label whose F1 is counted (the model's second of two)" },
  prompt: {
    value: 'TEXT',
    help: "put before both texts of a pair that are embedded (the checkpoint's default prompt)",
  },
  'skip-invalid': { help: 'leave invalid rows out, and say how many, instead of stopping' },
};

const SHARED_OPTIONS: Record<string, Option> = {
  json: { value: 'FILE', help: 'write the result; needed to resume' },
  resume: { help: 'go on with the unfinished job of --json' },
  overwrite: { help: 'replace the files of --json and --run, and what is unfinished' },
  dimensions: { value: 'N', help: 'length of dense embeddings, for models trained to be shortened (Matryoshka)' },
  batch: { value: 'N', help: `texts per call of the model (${BATCH})` },
};

export const evaluate: Command = {
  summary: 'Score a checkpoint on a retrieval folder (BEIR) or a labelled table (GLUE, STS).',
  args: ['MODEL', 'DATA'],
  details: `MODEL is a folder (./name), a URL, or a model on the Hugging Face Hub (org/name).

DATA is a folder in BEIR's layout (corpus.jsonl, queries.jsonl, qrels/SPLIT.tsv), for nDCG@10, recall and MRR@10 as pytrec_eval counts
them. Documents are title and text; texts above the model's limit are cut. Hybrid merges the dense search and BM25 (or --sparse-model) by
reciprocal rank fusion. Each ranking on the way is scored too.

Or DATA is a table (.csv, .tsv, .jsonl). With --label-field: accuracy, F1, macro F1 and Matthews' correlation of the model's classifier;
labels are the model's, their indices (0, 1, …), or named by --labels. With --score-field: Pearson's and Spearman's correlation with the
model's regression head, or of pairs with the cosine of its embeddings. An invalid row stops the job.

The table of metrics goes to stdout. With --json the result is a file, with all that is needed to compare it; while the job runs, what is done
is in FILE.part, and after any stop --resume goes on there.`,
  options: {
    ...SHARED_OPTIONS,
    ...prefixed('folder: ', FOLDER_OPTIONS),
    ...prefixed('table: ', TABLE_OPTIONS),
    ...MODEL_OPTIONS,
  },
  async run(invocation) {
    const { values, args } = invocation;
    const found = statOf(args[1]);
    if (!found) throw new UsageError(`There is no file or folder ${args[1]}.`);
    const isFolder = found.isDirectory();
    const [other, what] = isFolder
      ? [TABLE_OPTIONS, 'tables, and DATA is a folder']
      : [FOLDER_OPTIONS, 'folders, and DATA is a table'];
    const misplaced = Object.keys(other).find((name) => (other[name].value ? values.text(name) : values.flag(name)));
    if (misplaced) throw new UsageError(`--${misplaced} is for ${what}.`);
    await (isFolder ? runFolder(invocation) : runTable(invocation));
  },
};

function prefixed(prefix: string, options: Record<string, Option>): Record<string, Option> {
  return Object.fromEntries(
    Object.entries(options).map(([name, option]) => [name, { ...option, help: prefix + option.help }]),
  );
}

async function runFolder({ args: [source, folder], values, signal }: Invocation): Promise<void> {
  const split = values.text('split') ?? 'test';
  const searches = searchesOf(source, values);
  const reranker = values.text('reranker');
  const topK = values.count('rerank-top-k');
  if (topK !== undefined && reranker === undefined) throw new UsageError('--rerank-top-k needs --reranker.');
  const depth = values.count('depth') ?? DEPTH;
  const recallAt = recallOf(values, depth);
  const runFile = values.text('run');
  if (runFile !== undefined && statOf(runFile) && !values.flag('overwrite')) {
    throw new UsageError(`${runFile} already exists. --overwrite replaces it.`);
  }
  const files = Object.values(filesOf(folder, split));
  await evaluateIn(source, files, values, FOLDER_OPTIONS, async (job) => {
    const options: RetrievalOptions = {
      folder,
      split,
      allowMissing: values.flag('allow-missing'),
      searches,
      reranker:
        reranker === undefined ? undefined : { loader: loaderOf(reranker, withoutOwn(values)), topK: topK ?? RERANKED },
      depth,
      recallAt,
      batch: values.count('batch') ?? BATCH,
      job,
      signal,
    };
    const { data, stages, run } = await evaluateRetrieval(options);
    if (runFile !== undefined) await pipeline(Readable.from(run('modernbert-webgpu')), createWriteStream(runFile));
    const title = `${folder}, ${split}: ${data.documents} documents, ${data.queries} queries`;
    const reads = options.reranker && { 'rerank-top-k': options.reranker.topK };
    const mode = values.text('mode') ?? 'dense';
    return { task: 'retrieval', title, data, stages, options: { mode, depth, ...reads } };
  });
}

function searchesOf(source: string, values: Values): RetrievalOptions['searches'] {
  const mode = values.choice('mode', MODES) ?? 'dense';
  const loader = loaderOf(source, values);
  const prompts = { query: values.text('query-prompt'), document: values.text('document-prompt') };
  const sparse = values.text('sparse-model');
  if (sparse !== undefined && mode !== 'hybrid') throw new UsageError('--sparse-model needs --mode hybrid.');
  if (mode === 'multi-vector' || mode === 'sparse') {
    const dense = ['similarity', 'dimensions'].find((name) => values.text(name) !== undefined);
    if (dense) throw new UsageError(`--${dense} is for dense embeddings, not for --mode ${mode}.`);
    return { [mode]: (mode === 'sparse' ? sparseSearch : multiVectorSearch)(loader, { prompts }) };
  }
  const metric = values.choice('similarity', METRICS);
  const dense = denseSearch(loader, { prompts, metric, dimensions: values.count('dimensions') });
  if (mode === 'dense') return { dense };
  if (sparse === undefined) return { dense, bm25: bm25Search };
  const none = { query: undefined, document: undefined };
  return { dense, sparse: sparseSearch(loaderOf(sparse, withoutOwn(values)), { prompts: none }) };
}

function recallOf(values: Values, depth: number): number[] {
  const given = values.list('recall');
  const wrong = given?.find((k) => !/^[1-9]\d*$/.test(k));
  if (wrong !== undefined) throw new UsageError(`--recall must be positive integers, but has '${wrong}'.`);
  const recallAt = given?.map(Number) ?? RECALL_AT.filter((k) => k <= depth);
  const deep = recallAt.find((k) => k > depth);
  if (deep === undefined) return recallAt;
  throw new UsageError(`--recall ${deep} is beyond --depth, the ${depth} documents per query that a search keeps.`);
}

async function runTable({ args: [source, path], values, signal }: Invocation): Promise<void> {
  const [label, score] = [values.text('label-field'), values.text('score-field')];
  if ((label === undefined) === (score === undefined)) {
    throw new UsageError('A table needs --label-field or --score-field, one of them.');
  }
  const classifier = ['labels', 'positive'].find((name) => score !== undefined && values.text(name) !== undefined);
  if (classifier) throw new UsageError(`--${classifier} needs --label-field.`);
  const columns = { text: values.text('text-field') ?? 'text', pair: values.text('pair-field') };
  const loader = loaderOf(source, values);
  await evaluateIn(source, [path], values, TABLE_OPTIONS, async (job) => {
    const hasHeader = !values.flag('no-header');
    const { rows, skipped, stage } = await evaluateTable({
      input: openTable(path, { format: values.choice('format', FORMATS), hasHeader, signal }),
      columns,
      gold: label === undefined ? { score: score! } : { label },
      labels: values.list('labels'),
      positive: values.text('positive'),
      pairs: { prompt: values.text('prompt'), dimensions: values.count('dimensions') },
      loader,
      batch: values.count('batch') ?? BATCH,
      truncate: true,
      skipInvalid: values.flag('skip-invalid'),
      job,
      signal,
    });
    const title = `${path}: ${rows} rows${skipped ? `, ${skipped} more skipped` : ''}`;
    return {
      task: label === undefined ? 'scores' : 'labels',
      title,
      data: { table: path, rows, skipped },
      stages: [stage],
      options: {},
    };
  });
}

interface Evaluated {
  task: string;
  title: string;
  data: Record<string, unknown>;
  stages: Stage[];
  /** Those whose defaults matter. */
  options: Record<string, unknown>;
}

/** Runs an evaluation in its job, and writes the result. */
async function evaluateIn(
  source: string,
  files: string[],
  values: Values,
  own: Record<string, Option>,
  work: (job: Awaited<ReturnType<typeof openJob>>) => Promise<Evaluated>,
): Promise<void> {
  const given = givenOptions(values, { ...own, dimensions: SHARED_OPTIONS.dimensions, ...MODEL_OPTIONS });
  const identity = { model: source, options: given, data: await Promise.all(files.map(contentOf)) };
  const json = values.text('json');
  const job = await openJob({ json, resume: values.flag('resume'), overwrite: values.flag('overwrite'), identity });
  try {
    const { title, stages, options, ...rest } = await work(job);
    const { metrics } = stages[stages.length - 1];
    await job.finish({
      model: source,
      ...rest,
      metrics,
      stages,
      options: { ...given, ...options },
      version,
      finished: new Date().toISOString(),
    });
    console.log(`${title}\n\n${metricsTable(stages as unknown as TableRow[])}`);
  } finally {
    const left = await job.close();
    if (left) console.error(left);
  }
}

/** Left out of the result: it is a secret. And these change no number. */
const UNNAMED = ['token', 'cache', 'cache-folder', 'run'];

const givenOptions = (values: Values, options: Record<string, Option>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(options)
      .filter(([name]) => !UNNAMED.includes(name))
      .map(([name, { value }]) => [name, value ? values.text(name) : values.flag(name) || undefined])
      .filter(([, value]) => value !== undefined),
  );

/** What tells that a file has changed. */
async function contentOf(path: string): Promise<unknown> {
  const { size, mtimeMs } = await stat(path);
  return { path: resolve(path), size, changed: new Date(mtimeMs).toISOString() };
}
