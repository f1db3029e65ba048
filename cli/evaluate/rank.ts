/** Runs a search over a corpus. What it has found so far is kept in the job's folder, from which a stopped one resumes. */
import type { Progress } from '../progress';
import type { RetrievalData } from './beir';
import type { Search, SearchOptions } from './first-stage';
import type { Job } from './job';
import { bytesOf, type Ranking, rankings, rankingsOf } from './rankings';
import { checkSame, type ModelSummary, meter, type Speed } from './summary';

/** Milliseconds between saves. */
const SAVE_INTERVAL = 10_000;

export interface RankOptions {
  /** Names the search, and its file. */
  name: string;
  job: Job;
  data: RetrievalData;
  /** Documents to keep for each query. */
  depth: number;
  batch: number;
  signal: AbortSignal;
  progress: Progress;
}

export interface Ranked {
  name: string;
  rankings: Ranking[];
  model: ModelSummary | undefined;
  speed: Speed;
  /** Documents that an earlier run had scored. */
  resumed: number;
}

/** The file's first line. */
interface Saved {
  /** Documents scored. */
  done: number;
  model?: ModelSummary;
  speed: Speed;
}

export async function rank(open: (options: SearchOptions) => Promise<Search>, options: RankOptions): Promise<Ranked> {
  const { name, job, data, depth, batch, signal, progress } = options;
  const { queries, corpus } = data;
  const file = `${name}.ranking`;
  const before = await readSaved(await job.read(file), queries.length);
  const total = corpus.ids.length;
  const resumed = before?.done ?? 0;
  const shown = (done: number) => `${done.toLocaleString('en')} of ${total.toLocaleString('en')} documents`;
  if (before?.done === total) {
    progress.end(`${shown(total)}, all before`);
    return { name, rankings: before.rankings, model: before.model, speed: before.speed, resumed };
  }

  const found = rankings(queries, corpus.ids, depth, before);
  const best = () => queries.map((_, q) => found.best(q));
  let speed = meter(before?.speed);
  const listener = () => speed.listener();
  const search = await open({ queries, corpus, batch, signal, meter: { listener, speed: () => speed.speed() } });
  try {
    checkSame(before?.model, { ...search.model } as ModelSummary);
    // Queries and the loading do not count.
    speed = meter(before?.speed);
    const save = () => {
      const saved: Saved = { done: found.done, model: search.model, speed: speed.speed() };
      return job.write(file, [`${JSON.stringify(saved)}\n`, ...bytesOf(best())]);
    };
    let next = performance.now(); // the first ones are saved at once, to find out that they can be
    try {
      for await (const scores of search.scores(corpus.texts(resumed, signal))) {
        found.offer(scores, search.positive);
        progress.show(found.done / total, shown(found.done));
        if (performance.now() < next) continue;
        await save();
        next = performance.now() + SAVE_INTERVAL;
      }
      if (found.done !== total)
        throw new Error(`${found.done} of ${total} documents were read: the corpus has changed.`);
    } finally {
      await save();
    }
    progress.end(`${shown(total)}${resumed ? `, ${resumed.toLocaleString('en')} of them before` : ''}`);
    return { name, rankings: best(), model: search.model, speed: speed.speed(), resumed };
  } finally {
    await search.close();
  }
}

const NEWLINE = 10;

async function readSaved(
  bytes: Buffer | undefined,
  queries: number,
): Promise<(Saved & { rankings: Ranking[] }) | undefined> {
  if (!bytes) return undefined;
  const end = bytes.indexOf(NEWLINE);
  return { ...JSON.parse(bytes.toString('utf8', 0, end)), rankings: rankingsOf(bytes.subarray(end + 1), queries) };
}
