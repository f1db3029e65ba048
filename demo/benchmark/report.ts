// What the page found, as it is exported and shown on the card.
import { OWN, type PeerReport, type PeerResult } from '../../bench/peer/results';
import { version } from '../../package.json';
import type { Arithmetic, Dtype } from '../../src/index';
import { plural } from '../numbers';
import type { BarRow } from './bar-list';
import { environment } from './environment';
import type { Measured } from './measure';
import { PAGE_TOKENS, PAGES } from './measure';
import { referencesFor } from './references';
import { cosineInWords, deviceInWords, factorInWords, rateInWords, timeInWords } from './sentences';

/** The model and the device that ran it. */
export interface Ran {
  model: string;
  dtype: Dtype;
  arithmetic: Arithmetic;
  adapter: string;
  /** Whether a software adapter computed, on the CPU. */
  isSoftware: boolean;
}

/** A measurement with when, where and with what it was made; `measured` and `race` are what there is so far. */
export interface BenchmarkReport {
  date: string;
  /** Of the library, and the project's commit. */
  version: string;
  commit: string;
  runtime: string;
  ran: Ran;
  measured?: Measured;
  race?: PeerReport;
}

/** A report of now. */
export const reportOf = (ran: Ran, found: Pick<BenchmarkReport, 'measured' | 'race'>): BenchmarkReport => {
  const { date, commit, runtime } = environment();
  return { date, version, commit, runtime, ran, ...found };
};

/** "Your GPU embeds 1,000 pages in 4.1 s." */
export const headlineOf = ({ text }: Measured, { isSoftware }: Ran): string =>
  `Your ${deviceInWords(isSoftware)} embeds ${plural(PAGES, 'page')} in ${timeInWords(text.ms_per_1000_pages)}.`;

/** The sentences under the headline. */
export function factsOf({ query, document, seconds }: Measured, { isSoftware }: Ran): string[] {
  return [
    ...(isSoftware ? ['This browser uses no GPU: your processor computed this, many times more slowly than a GPU.'] : []),
    `A search query takes ${timeInWords(query.median_ms)}.`,
    document
      ? `A document of 8,192 tokens, 16 pages in one piece, takes ${timeInWords(document.median_ms)}.`
      : `A document of 8,192 tokens was left out: this device is too slow for it in a measurement of ${seconds} seconds.`,
  ];
}

/** This device among the others, in pages per second by the encoder alone. */
export function besideOthers({ ids }: Measured, { adapter, arithmetic }: Ran): BarRow[] {
  const others = referencesFor(arithmetic).map((row) => ({ ...row, label: row.device, isOwn: false }));
  const own = { label: 'This device', runtime: adapter, arithmetic, tokens_per_s: ids.tokens_per_s, isOwn: true };
  return [own, ...others]
    .sort((a, b) => b.tokens_per_s - a.tokens_per_s)
    .map(({ label, isOwn, tokens_per_s, runtime }) => {
      const value = tokens_per_s / PAGE_TOKENS;
      return { label, detail: runtime, value, text: `${rateInWords(value)} pages/s`, isOwn };
    });
}

const NAMES: Partial<Record<PeerResult['contender'], string>> = {
  'modernbert-webgpu': 'This library',
  'transformers.js webgpu': 'ONNX Runtime Web (WebGPU)',
  'transformers.js wasm': 'ONNX Runtime Web (WebAssembly)',
};
export const nameOf = (contender: PeerResult['contender']): string => NAMES[contender] ?? contender;

/** Tokens per second of everyone who finished. */
export const raceRows = (results: PeerResult[]): BarRow[] =>
  results.flatMap(({ contender, device, tokens_per_s }) =>
    tokens_per_s === undefined
      ? []
      : [
          {
            label: nameOf(contender),
            detail: device,
            value: tokens_per_s,
            text: `${rateInWords(tokens_per_s)} tokens/s`,
            isOwn: contender === OWN,
          },
        ],
  );

/** A sentence for each of the others, and for whoever failed. */
export function raceSentences(results: PeerResult[]): string[] {
  const own = results.find(({ contender }) => contender === OWN);
  return results.flatMap(({ contender, median_ms, cosine, failure }) => {
    if (failure !== undefined) return [`${nameOf(contender)} failed: ${failure}`];
    if (contender === OWN || own?.median_ms === undefined || median_ms === undefined) return [];
    const same = cosine === undefined ? '' : `, ${cosineInWords(cosine)}`;
    const words = factorInWords(own.median_ms, median_ms);
    return [`${words[0].toUpperCase()}${words.slice(1)} ${nameOf(contender)}${same}.`];
  });
}

/** The report as a few lines of text, for a message. */
export function textOfReport(report: BenchmarkReport): string {
  const { measured, race, ran, runtime, date, version, commit } = report;
  return [
    ...(measured ? [headlineOf(measured, ran), ...factsOf(measured, ran)] : []),
    ...(race ? raceSentences(race.results) : []),
    `${ran.adapter}, ${runtime}, modernbert-webgpu ${version} (${commit}), ${ran.model}, ${date.slice(0, 10)}.`,
  ].join('\n');
}
