/** Scores a checkpoint on a folder in BEIR's layout: one or two searches, their fusion, and a reranker. */
import { withProgress } from '../progress';
import { openFolder, type RetrievalData } from './beir';
import type { Search, SearchOptions } from './first-stage';
import type { Job } from './job';
import type { Loader } from './models';
import { type Ranked, rank } from './rank';
import { fuse, type Ranking } from './rankings';
import { speedOf } from './report';
import { rerank } from './rerank';
import { retrievalMetrics } from './retrieval-metrics';

export interface RetrievalOptions {
  folder: string;
  split: string;
  allowMissing: boolean;
  /** By name. The rankings of two are fused. */
  searches: Record<string, (options: SearchOptions) => Promise<Search>>;
  reranker?: { loader: Loader; topK: number };
  depth: number;
  recallAt: number[];
  batch: number;
  job: Job;
  signal: AbortSignal;
}

/** One ranking's part of the result. */
export interface Stage {
  name: string;
  metrics: Record<string, number>;
  [more: string]: unknown;
}

export interface RetrievalResult {
  data: Record<string, unknown>;
  stages: Stage[];
  /** Lines of trec_eval's run format of the last stage. */
  run(tag: string): Generator<string>;
}

export async function evaluateRetrieval(options: RetrievalOptions): Promise<RetrievalResult> {
  const { folder, split, allowMissing, searches, reranker, job, signal, depth, batch } = options;
  const data = await withProgress(folder, async (progress) => {
    const data = await openFolder(folder, { split, allowMissing, signal });
    progress.end(`${data.corpus.ids.length.toLocaleString('en')} documents, ${data.queries.length} queries`);
    return data;
  });
  try {
    const stages: Ranked[] = [];
    for (const [name, open] of Object.entries(searches)) {
      const ranked = await withProgress(name, (progress) =>
        rank(open, { name, job, data, depth, batch, signal, progress }),
      );
      stages.push(ranked);
    }
    const [first, second] = stages;
    const none = { model: undefined, speed: { tokens: 0, seconds: 0 }, resumed: 0 };
    if (second) {
      const fused = first.rankings.map((ranking, q) => fuse(ranking, second.rankings[q], data.corpus.ids));
      stages.push({ name: 'hybrid', rankings: fused, ...none });
    }
    if (reranker) {
      const { rankings } = stages[stages.length - 1];
      const read = await withProgress('reranked', (progress) =>
        rerank(rankings, { ...reranker, job, data, batch, signal, progress }),
      );
      stages.push(read);
    }
    const { rankings } = stages[stages.length - 1];
    return {
      data: {
        folder,
        split,
        documents: data.corpus.ids.length,
        emptyDocuments: data.corpus.empty,
        queries: data.queries.length,
        judgements: [...data.judged.values()].reduce((sum, { size }) => sum + size, 0),
        missing: data.missing,
      },
      stages: stages.map((stage) => stageOf(stage, data, options.recallAt)),
      run: (tag) => runLinesOf(data, rankings, tag),
    };
  } finally {
    await data.corpus.close();
  }
}

function stageOf({ name, rankings, model, speed, resumed }: Ranked, data: RetrievalData, recallAt: number[]): Stage {
  const { queries, corpus, judged } = data;
  const index = new Map(queries.map(({ id }, q) => [id, q]));
  const idsOf = (query: string) =>
    Array.from(rankings[index.get(query)!].documents, (document) => corpus.ids[document]);
  const metrics = retrievalMetrics(judged, idsOf, recallAt);
  return { name, metrics, model, ...speedOf(speed), ...(resumed > 0 && { resumedAfter: resumed }) };
}

function* runLinesOf({ queries, corpus }: RetrievalData, rankings: Ranking[], tag: string): Generator<string> {
  for (const [q, { documents, scores }] of rankings.entries()) {
    for (const [i, document] of documents.entries()) {
      yield `${queries[q].id} Q0 ${corpus.ids[document]} ${i + 1} ${Number(scores[i].toPrecision(9))} ${tag}\n`;
    }
  }
}
