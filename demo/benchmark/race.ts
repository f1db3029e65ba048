// The race: who embeds the same texts in less time, one after the other, several rounds.
import type { Answer, Contender } from '../../bench/peer/contenders';
import { leastCosine, type PeerResult, summarised } from '../../bench/peer/results';

/** One of those who race. */
export interface Runner {
  contender: Contender;
  /** Gives what it computes on. */
  load(): Promise<string>;
  embed(texts: string[]): Promise<Answer>;
  /** Frees what it has. */
  end(): void;
}

export interface RaceOptions {
  texts: string[];
  /** Of all texts, special ones included. */
  tokens: number;
  /** Timed runs of each, at most. */
  rounds: number;
  /** Milliseconds after which no further round begins; the first one always does. */
  budget: number;
  signal: AbortSignal;
  /** What someone does. `done`: rounds that are over; undefined before the first. */
  onProgress(contender: Contender, step: string, done: number | undefined, results: PeerResult[]): void;
  /** Milliseconds. Default: the browser's clock. */
  now?: () => number;
}

/**
 * Loads everyone and lets everyone embed once, which warms up and is compared, and then time after time in turn, so that what else the
 * device does hits all of them. Who fails is out and the others go on. `runners[0]` is the one that the others' embeddings are compared with.
 */
export async function race(runners: Runner[], options: RaceOptions): Promise<PeerResult[]> {
  const { texts, tokens, rounds, budget, signal, onProgress, now = () => performance.now() } = options;
  const results = runners.map(
    ({ contender }): PeerResult => ({
      name: 'race',
      contender,
      device: '',
      documents: texts.length,
      tokens,
      equal: false,
      runs_ms: [],
    }),
  );
  let done = 0;
  const show = (contender: Contender, step: string, done?: number) =>
    onProgress(contender, step, done, results.map(summarised));
  let reference: Answer | undefined;

  /** What `work` gives; undefined once a runner is out. */
  async function attempt<T>(result: PeerResult, work: () => Promise<T>): Promise<T | undefined> {
    signal.throwIfAborted();
    if (result.failure) return undefined;
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      result.failure = error instanceof Error ? error.message : String(error);
      return undefined;
    }
  }

  for (const [i, runner] of runners.entries()) {
    show(runner.contender, 'loading');
    results[i].device = (await attempt(results[i], () => runner.load())) ?? '';
    show(runner.contender, 'warming up');
    const answer = await attempt(results[i], () => runner.embed(texts));
    if (!answer) continue;
    if (i === 0) reference = answer;
    else if (reference) results[i].cosine = leastCosine(answer.data, reference.data, reference.dim);
  }
  const start = now();
  for (; done < rounds && (done === 0 || now() - start < budget); done++) {
    for (const [i, runner] of runners.entries()) {
      show(runner.contender, 'embedding', done);
      const answer = await attempt(results[i], () => runner.embed(texts));
      if (answer) results[i].runs_ms.push(answer.ms);
    }
  }
  signal.throwIfAborted();
  return results.map(summarised);
}
