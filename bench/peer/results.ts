// The results of the comparison, their table, and the bars.
import { milliseconds, rate, type Table } from '../print';
import type { Bar, Environment } from '../report';
import { median, sum } from '../statistics';
import type { Contender } from './contenders';

/** One contender in one case. `failure` is the error message; times are of the runs before it. */
export interface PeerResult {
  name: string;
  contender: Contender;
  device: string;
  documents: number;
  tokens: number;
  equal: boolean;
  /** In Node: until the model is loaded, and the first call's time, which is none of the runs. One of them compiles the shaders. */
  load_ms?: number;
  first_ms?: number;
  runs_ms: number[];
  median_ms?: number;
  tokens_per_s?: number;
  /** The least cosine between its embeddings and this library's. */
  cosine?: number;
  failure?: string;
}

export type PeerReport = Pick<Environment, 'date' | 'commit' | 'runtime' | 'adapter'> & {
  peer: string;
  results: PeerResult[];
  bars: Bar[];
};

export const OWN = 'modernbert-webgpu';

/** The contender's time divided by this library's; undefined if either is missing. */
function speedUp(results: PeerResult[], { name, median_ms }: PeerResult): number | undefined {
  const own = results.find((result) => result.name === name && result.contender === OWN)?.median_ms;
  return own === undefined || median_ms === undefined ? undefined : median_ms / own;
}

export function peerTable(results: PeerResult[]): Table {
  const hasFirst = results.some(({ first_ms }) => first_ms !== undefined);
  return [
    [
      'case',
      'contender',
      'on',
      'docs',
      'tokens',
      ...(hasFirst ? ['load ms', 'first ms'] : []),
      'runs',
      'median ms',
      'tokens/s',
      'this library is',
      'cosine',
      'failure',
    ],
    ...results.map((result) => {
      const { name, contender, device, documents, tokens, load_ms, first_ms, runs_ms, median_ms } = result;
      const { tokens_per_s, cosine, failure } = result;
      const times = contender === OWN ? undefined : speedUp(results, result);
      return [
        name,
        contender,
        device,
        String(documents),
        String(tokens),
        ...(hasFirst ? [load_ms, first_ms].map((ms) => (ms === undefined ? '' : milliseconds(ms))) : []),
        String(runs_ms.length),
        median_ms === undefined ? '' : milliseconds(median_ms),
        tokens_per_s === undefined ? '' : rate(tokens_per_s),
        times === undefined ? '' : `${times.toFixed(1)}x as fast`,
        cosine === undefined ? '' : cosine.toFixed(6),
        failure ?? '',
      ];
    }),
  ];
}

/** Adds median and rate, if there are runs. */
export const summarised = (result: PeerResult): PeerResult => {
  if (result.runs_ms.length === 0) return result;
  const median_ms = median(result.runs_ms);
  return { ...result, median_ms, tokens_per_s: (1000 * result.tokens) / median_ms };
};

/** A bar on the peer's speed stays undecided if the peer or this library failed, because there is no rate to compare. */
export function peerBars(results: PeerResult[], isSoftware: boolean): Bar[] {
  const bar = (name: string, against: Contender, least: number, of: (result: PeerResult) => boolean): Bar[] =>
    results
      .filter((result) => result.contender === against && of(result))
      .map((result): Bar => {
        const value = speedUp(results, result);
        return {
          name,
          where: result.failure ? `${result.name}: the peer failed` : result.name,
          value,
          bar: least,
          is: 'at least',
          as: 'times',
          met: value === undefined ? undefined : value >= least,
        };
      });
  const finished = (contender: Contender) =>
    results.find((result) => result.name === 'one-8192' && result.contender === contender);
  const own = finished(OWN);
  const webgpu = 'transformers.js webgpu';
  const isQuery = ({ name }: PeerResult) => name.startsWith('query');
  return [
    ...bar('by transformers.js WebGPU, equal lengths', webgpu, 5, (r) => r.equal && !isQuery(r) && !r.failure),
    ...bar('by transformers.js WebGPU, mixed lengths', webgpu, 10, ({ equal }) => !equal),
    ...(own
      ? [
          {
            name: '8192 tokens finish',
            where: finished(webgpu)?.failure
              ? 'where transformers.js WebGPU fails'
              : 'transformers.js WebGPU did not fail',
            value: own.failure ? 0 : 1,
            bar: 1,
            is: 'at least',
            as: 'number',
            met: !own.failure,
          } as const,
        ]
      : []),
    ...bar(
      `a query by transformers.js WASM${isSoftware ? ' (a bar for graphics cards)' : ''}`,
      'transformers.js wasm',
      1,
      isQuery,
    ),
  ];
}

/** The least cosine between corresponding rows of two lists of embeddings; -1 if the sizes differ. */
export function leastCosine(a: number[], b: number[], dim: number): number {
  if (a.length !== b.length || a.length === 0) return -1;
  const cosines = Array.from({ length: a.length / dim }, (_, row) => {
    const [x, y] = [a, b].map((list) => list.slice(row * dim, (row + 1) * dim));
    const norm = (v: number[]) => Math.sqrt(sum(v.map((value) => value * value)));
    return sum(x.map((value, i) => value * y[i])) / (norm(x) * norm(y));
  });
  return Math.min(...cosines);
}
