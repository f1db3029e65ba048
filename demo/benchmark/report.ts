// What the page found, as it is exported and shown on the card.
import { CONTENDERS } from '../../bench/peer/contenders';
import { OWN, type PeerReport, type PeerResult } from '../../bench/peer/results';
import type { Arithmetic, Dtype, ModelInfo } from '../../src/index';
import { plural } from '../numbers';
import { adapterName } from '../status-line';
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

/** The model of the measurement and of the race. */
export const MODEL = 'nano-embed';

export const ranOf = ({ dtype, arithmetic, adapter, profile }: ModelInfo): Ran => ({
  model: MODEL,
  dtype,
  arithmetic,
  adapter: adapterName(adapter),
  isSoftware: profile === 'software',
});

/** A report of now. */
export const reportOf = (ran: Ran, found: Pick<BenchmarkReport, 'measured' | 'race'>): BenchmarkReport => {
  const { date, commit, runtime } = environment();
  return { date, version: import.meta.env.VERSION, commit, runtime, ran, ...found };
};

const embeds = (whose: string, isSoftware: boolean, time: string) =>
  `${whose} ${deviceInWords(isSoftware)} embeds ${plural(PAGES, 'page')} in ${time}`;

/** "Your GPU embeds 1,000 pages in 4.1 s." Others are told of this GPU. */
export const headlineOf = ({ text }: Measured, { isSoftware }: Ran, whose: 'Your' | 'This' = 'Your'): string =>
  `${embeds(whose, isSoftware, timeInWords(text.ms_per_1000_pages))}.`;

export const headlineToCome = (isSoftware: boolean): string => embeds('Your', isSoftware, '…');

const queryTakes = (time: string) => `A search query takes ${time}`;
const documentTakes = (time: string) => `A document of 8,192 tokens, 16 pages in one piece, takes ${time}`;
export const FACTS_TO_COME = [queryTakes('…'), documentTakes('…')];

/** The sentences under the headline. */
export const factsOf = ({ query, document, seconds }: Measured): string[] => [
  `${queryTakes(timeInWords(query.median_ms))}.`,
  document
    ? `${documentTakes(timeInWords(document.median_ms))}.`
    : `A document of 8,192 tokens was left out: this device is too slow for it in a measurement of ${plural(seconds, 'second')}.`,
];

/** This device among the others, in pages per second by the encoder alone; without a measurement its place is empty. */
export function besideOthers(found?: { measured: Measured; ran: Ran }): BarRow[] {
  const others = referencesFor(found?.ran.arithmetic ?? 'f32').map(
    ({ device, kind, tokens_per_s }): BarRow => ({
      label: device,
      detail: kind,
      isOwn: false,
      ...pages(tokens_per_s),
    }),
  );
  const own: BarRow = {
    label: 'This device',
    detail: found?.ran.adapter ?? 'not measured yet',
    isOwn: true,
    ...(found ? pages(found.measured.ids.tokens_per_s) : { value: undefined, text: '…' }),
  };
  return [own, ...others].sort((a, b) => (b.value ?? 0) - (a.value ?? 0));
}

function pages(tokens_per_s: number): Pick<BarRow, 'value' | 'text'> {
  const value = tokens_per_s / PAGE_TOKENS;
  return { value, text: `${rateInWords(value)} pages/s` };
}

const NAMES: Partial<Record<PeerResult['contender'], string>> = {
  'modernbert-webgpu': 'This library',
  'transformers.js webgpu': 'ONNX Runtime Web on WebGPU',
  'transformers.js wasm': 'ONNX Runtime Web on WebAssembly',
};
export const nameOf = (contender: PeerResult['contender']): string => NAMES[contender] ?? contender;

/** Tokens per second of everyone, as far as they are known. */
export const raceRows = (results: Pick<PeerResult, 'contender' | 'device' | 'tokens_per_s' | 'failure'>[]): BarRow[] =>
  results.map(({ contender, device, tokens_per_s, failure }) => ({
    label: nameOf(contender),
    detail: device,
    value: tokens_per_s,
    text: tokens_per_s ? `${rateInWords(tokens_per_s)} tokens/s` : failure ? 'failed' : '…',
    isOwn: contender === OWN,
  }));

/** Before the race. */
export const RACE_TO_COME = raceRows(CONTENDERS.map((contender) => ({ contender, device: '' })));

/** A sentence for each of the others, for whoever failed, and where no GPU computed. */
export function raceSentences(results: PeerResult[], { isSoftware }: Pick<Ran, 'isSoftware'>): string[] {
  const own = results.find(({ contender }) => contender === OWN);
  const sentences = results.flatMap(({ contender, median_ms, cosine, failure }) => {
    if (failure !== undefined) return [`${nameOf(contender)} failed: ${failure}`];
    if (contender === OWN || own?.median_ms === undefined || median_ms === undefined) return [];
    const same = cosine === undefined ? '' : `, ${cosineInWords(cosine)}`;
    const words = factorInWords(own.median_ms, median_ms);
    return [`${words[0].toUpperCase()}${words.slice(1)} ${nameOf(contender)}${same}.`];
  });
  return isSoftware ? [...sentences, 'The processor computed all of it: a GPU gives other factors.'] : sentences;
}

/** The report as a few lines of text, for a message. */
export function textOfReport(report: BenchmarkReport): string {
  const { measured, race, ran, runtime, date, version, commit } = report;
  return [
    ...(measured ? [headlineOf(measured, ran, 'This'), ...factsOf(measured)] : []),
    ...(race ? raceSentences(race.results, ran) : []),
    `${ran.adapter}${ran.isSoftware ? ' (no GPU)' : ''}, ${runtime}, modernbert-webgpu ${version} (${commit}), ${ran.model}, ${date.slice(0, 10)}.`,
  ].join('\n');
}
