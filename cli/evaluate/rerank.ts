/** The best documents of a search, ranked anew by a cross-encoder: a query is a line of a job, which resumes as the commands over lines do. */
import { createReadStream } from 'node:fs';
import { type Line, readLines } from '../input';
import { runLines } from '../line-job';
import { openOutput } from '../output';
import type { Progress } from '../progress';
import type { RetrievalData } from './beir';
import type { Job } from './job';
import type { Loader } from './models';
import type { Ranked } from './rank';
import { type Ranking, ranking } from './rankings';
import { byRank } from './retrieval-metrics';
import { checkSame, meter } from './summary';

export interface RerankOptions {
  job: Job;
  data: RetrievalData;
  loader: Loader;
  /** Documents per query that the cross-encoder reads. */
  topK: number;
  /** Pairs per call of the model. */
  batch: number;
  signal: AbortSignal;
  progress: Progress;
}

const [NAME, FILE, MODEL] = ['reranked', 'reranked.jsonl', 'reranker.json'];

/** What the cross-encoder has not read follows in its order. */
export async function rerank(first: readonly Ranking[], options: RerankOptions): Promise<Ranked> {
  const { job, data, loader, topK, batch, signal, progress } = options;
  const { queries, corpus } = data;
  const old = await job.read(MODEL);
  const before = old && (JSON.parse(old.toString()) as Pick<Ranked, 'model' | 'speed'>);
  let [model, speed] = [before?.model, before?.speed];
  let timer = meter(speed);

  const output = await openOutput(job.at(FILE), { resume: true, overwrite: false, input: undefined });
  const resumed = output.done;
  const remember = () => job.write(MODEL, [JSON.stringify({ model, speed })]);
  try {
    await runLines<number>(
      {
        writes: ['results'],
        read: ({ value }) => value.query as number,
        sample: () => 0,
        run: (cross, inputs, call) =>
          Promise.all(
            inputs.map(async (q) => {
              const candidates = Array.from(first[q].documents.subarray(0, topK));
              if (candidates.length === 0) return { results: [] };
              const texts = await Promise.all(candidates.map((document) => corpus.text(document)));
              const all = { ...call, truncate: true, onProgress: timer.listener() };
              const results = await cross.rerank(queries[q].text, texts, all);
              speed = timer.speed();
              return { results: results.map(({ index, score }) => [candidates[index], score]) };
            }),
          ),
      },
      {
        async load(ends) {
          const cross = await loader.load(ends);
          const { labels, defaultPrompt, prompts } = cross.info;
          const now = loader.summary(cross, { labels, prompt: defaultPrompt && prompts[defaultPrompt] });
          checkSame(model, now);
          model = now;
          await remember();
          timer = meter(speed);
          return cross;
        },
        input: { name: 'queries', size: queries.length, id: undefined, lines: linesOf(queries.length) },
        output,
        progress,
        batch: Math.max(1, Math.floor(batch / topK)),
        keep: [],
        signal,
        truncate: true,
        strict: true,
        warn: (text) => console.error(text),
      },
    );
  } finally {
    await output.close();
    await remember();
  }
  const rankings = await readRankings(job.at(FILE), first, corpus.ids);
  return { name: NAME, rankings, model, speed: speed ?? { tokens: 0, seconds: 0 }, resumed };
}

/** A line per query. */
async function* linesOf(queries: number): AsyncGenerator<Line> {
  for (let query = 0; query < queries; query++) {
    yield { number: query + 1, bytes: Buffer.from(JSON.stringify({ query })), end: query + 1 };
  }
}

async function readRankings(path: string, first: readonly Ranking[], ids: readonly string[]): Promise<Ranking[]> {
  const rankings: Ranking[] = [];
  for await (const { bytes } of readLines(createReadStream(path))) {
    const { results } = JSON.parse(String(bytes)) as { results: [document: number, score: number][] };
    const { documents } = first[rankings.length];
    const read = results.map(([document, score]) => ({ document, score, id: ids[document] })).sort(byRank);
    // Below all others, and in their order.
    const least = read.at(-1)?.score ?? 0;
    const rest = Array.from(documents.subarray(read.length), (document, i) => ({ document, score: least - 1 - i }));
    rankings.push(ranking([...read, ...rest]));
  }
  return rankings;
}
