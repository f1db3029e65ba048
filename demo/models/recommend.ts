import type { Dtype } from '../../src/index';
import { fileSize } from '../numbers';
import type { Candidate } from './candidates';
import type { Use } from './known-models';

/** What is known of this device and of its user's wishes. */
export interface DeviceFacts {
  /** As `isSupported` found: `software` where the CPU computes in its place. */
  gpu: 'hardware' | 'software' | 'none';
  /** The device's largest buffer, in bytes. */
  maxTensor?: number;
  /** Bytes of memory as navigator.deviceMemory says them: browsers that do say 8 GiB for all that is more. */
  memory?: number;
  /** The language of the texts, as a BCP 47 subtag such as `de`; `mul`: several. */
  language: string;
  savesData: boolean;
  /** Bits per second; browsers that say them stop at 10 million. */
  downlink?: number;
  /** Sources that are on the device already. */
  kept: string[];
}

export interface Recommendation {
  model: Candidate;
  /** What its weights are best loaded as here. */
  dtype: Dtype;
  /** Whether nothing speaks against it: it reads the language, and runs here. */
  suits: boolean;
  /** What speaks for it and against it, in words. */
  pros: string[];
  cons: string[];
}

const GIB = 2 ** 30;
/** Below it the browser's figure is the machine's memory, of which the library gives a model's weights a quarter. */
const MEMORY_KNOWN = 8 * GIB;
/** The largest download where the user asked the browser for few bytes. */
const SAVED = 25e6;
/** Seconds that a download may take otherwise. */
const PATIENCE = 600;
/** Operations per token above which a CPU of some 4 GFLOP/s computes fewer than 100 tokens per second. */
const SLOW_ON_CPU = 40e6;
/** The figure that most models of a use have, by which they are compared. */
const MEASURE: Partial<Record<Use, string>> = { 'fill-mask': 'GLUE', embeddings: 'MTEB English' };
/** Closer figures count as the same, and the quicker model comes first. */
const STEP = 2;

const NAMES = new Intl.DisplayNames(['en'], { type: 'language' });
/** Whether it can be a language's BCP 47 subtag: a link may say anything. */
export const isLanguage = (code: string): boolean => /^[a-z]{2,3}$/i.test(code);

export const languageName = (code: string): string => (code === 'mul' ? 'many languages' : (NAMES.of(code) ?? code));

/** 0: made for the language; 1: reads it among others; 2: does not read it. */
function languageFit({ languages }: Candidate, language: string): 0 | 1 | 2 {
  if (languages === 'multilingual') return language === 'mul' ? 0 : 1;
  return languages.split(', ').includes(languageName(language)) ? 0 : 2;
}

interface Fit {
  dtype: Dtype;
  fits: boolean;
  budget: number;
}

/** The most exact weights that fit: f16, which differs from f32 by nothing that shows, and less where memory is short. */
function memoryFit(model: Candidate, { memory = MEMORY_KNOWN, maxTensor = Infinity }: DeviceFacts): Fit {
  const budget = memory < MEMORY_KNOWN ? memory / 4 : Infinity;
  const dtypes: Dtype[] = model.dtype ? [model.dtype] : model.isBuiltIn ? ['f16'] : ['f16', 'q8', 'q4'];
  const found = dtypes.find((dtype) => model.gpu[dtype] <= budget && model.table[dtype] <= maxTensor);
  return { dtype: found ?? dtypes[dtypes.length - 1], fits: found !== undefined, budget };
}

const downloadOf = (model: Candidate, { kept }: DeviceFacts): number =>
  kept.includes(model.source) ? 0 : model.download.most;

const isSlow = (model: Candidate, { gpu }: DeviceFacts): boolean => gpu === 'software' && model.flops > SLOW_ON_CPU;

/** Most bytes of a download that may be recommended here. */
const mostDownload = ({ savesData, downlink }: DeviceFacts): number =>
  savesData ? SAVED : downlink ? (downlink / 8) * PATIENCE : Infinity;

function reasonsFor(model: Candidate, facts: DeviceFacts, { dtype, fits, budget }: Fit) {
  const pros: string[] = [];
  const cons: string[] = [];
  const language = languageName(facts.language);
  const fit = languageFit(model, facts.language);
  const bytes = downloadOf(model, facts);
  if (facts.gpu === 'none') cons.push('cannot run in this browser, which has no GPU for it');
  if (model.isBuiltIn) pros.push('comes with this page');
  else if (bytes === 0) pros.push('is on this device already');
  if (!fits) {
    const isBudget = model.gpu[dtype] > budget;
    cons.push(
      isBudget
        ? `needs ${fileSize(model.gpu[dtype])}, more than a quarter of this device's memory`
        : "has a tensor that is larger than your GPU's largest buffer",
    );
  } else if (facts.gpu === 'hardware' && (facts.maxTensor !== undefined || budget < Infinity)) {
    pros.push(`fits your GPU's memory${dtype === 'f16' || model.dtype ? '' : ` as ${dtype}`}`);
  }
  if (fit === 2) cons.push(`does not read ${language}`);
  else pros.push(fit === 0 ? `made for ${language}` : `reads ${language}`);
  if (isSlow(model, facts)) cons.push('slow here, where the CPU computes');
  if (bytes > mostDownload(facts)) {
    const minutes = Math.ceil(bytes / ((facts.downlink ?? Infinity) / 8) / 60);
    cons.push(
      facts.savesData ? 'a large download, and this browser saves data' : `up to ${minutes} minutes to download`,
    );
  }
  return { pros, cons };
}

/**
 * All of `models`, the most suitable first: those that fit the memory; then by how they read the language, those that come with the page in another precision last, by whether the CPU would be too slow and the
 * download too long, those of the page first, by their published quality, and the quicker before the slower.
 */
export function recommend(use: Use, facts: DeviceFacts, models: Candidate[]): Recommendation[] {
  const most = mostDownload(facts);
  const own = models.filter(({ isBuiltIn }) => isBuiltIn).map(({ name }) => `/${name}`);
  const ranked = models.map((model) => {
    const fit = memoryFit(model, facts);
    const language = languageFit(model, facts.language);
    const bytes = downloadOf(model, facts);
    const { quality } = model;
    const order = [
      fit.fits ? 0 : 1,
      language,
      own.some((name) => model.name.endsWith(name)) ? 1 : 0, // the page has it, only smaller
      isSlow(model, facts) ? model.flops : 0,
      bytes > most ? bytes : 0,
      model.isBuiltIn ? 0 : 1,
      quality && quality.measure === MEASURE[use] ? -Math.floor(quality.value / STEP) : 0,
      model.flops,
    ];
    const suits = fit.fits && language < 2 && facts.gpu !== 'none';
    return { order, model, dtype: fit.dtype, suits, ...reasonsFor(model, facts, fit) };
  });
  const compare = (a: number[], b: number[]) => a.map((value, i) => value - b[i]).find((d) => d !== 0) ?? 0;
  return ranked.sort((a, b) => compare(a.order, b.order)).map(({ order: _, ...recommendation }) => recommendation);
}
