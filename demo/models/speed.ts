// How fast models are on this device: measured once in a while, and estimated from those that were.
import type { Dtype, Model } from '../../src/index';
import { adapterName } from '../status-line';
import { SPEED_TOKENS } from './candidates';

const KEY = 'modernbert-webgpu/speed';
const TEXTS = 4;
/** Milliseconds of one text above which a device computes one at a time, so that a run waits for no more than that. */
const SLOW = 250;
/** A page of print has about 300 words. */
const TOKENS_PER_PAGE = 400;

/** Milliseconds after which a speed is measured again: browsers, drivers and what else runs change. */
const WEEK = 7 * 24 * 3600 * 1000;
/** Another version of the library may be faster. */
const BY = `${import.meta.env.VERSION} ${import.meta.env.COMMIT}`;

/** Tokens per second by model, dtype and adapter. */
export type Speeds = Record<string, number>;

interface KeptSpeed {
  tokensPerSecond: number;
  /** When it was measured, in milliseconds since 1970, and by which version of the library. */
  time: number;
  by: string;
}

/** What was measured where nothing may be kept. */
let unkept: Record<string, KeptSpeed> = {};

export const speedKey = (source: string, dtype: Dtype, adapter: string): string => [source, dtype, adapter].join(' | ');

function readKept(): Record<string, KeptSpeed> {
  try {
    const kept: Record<string, KeptSpeed> = JSON.parse(localStorage.getItem(KEY) ?? '{}');
    return {
      ...Object.fromEntries(Object.entries(kept).filter(([, { tokensPerSecond }]) => tokensPerSecond > 0)),
      ...unkept,
    };
  } catch {
    return unkept; // not allowed, or written by something else
  }
}

/** The speeds that were measured here, however long ago. */
export const readSpeeds = (): Speeds =>
  Object.fromEntries(Object.entries(readKept()).map(([key, { tokensPerSecond }]) => [key, tokensPerSecond]));

function keepSpeed(key: string, tokensPerSecond: number): void {
  const measured = { [key]: { tokensPerSecond: Math.round(tokensPerSecond), time: Date.now(), by: BY } };
  try {
    localStorage.setItem(KEY, JSON.stringify({ ...readKept(), ...measured }));
    unkept = {};
  } catch {
    unkept = { ...unkept, ...measured }; // full, or not allowed
  }
}

/** Whether it need not be measured again. A clock that was set back makes no speed last longer. */
const isFresh = ({ time, by }: KeptSpeed): boolean => by === BY && Math.abs(Date.now() - time) < WEEK;

/**
 * Measures a loaded model, unless that was done on this device in the last week by this version of the library: four texts of about 128 tokens, after
 * one that does not count. Rejects with the reason of `signal`, and with what `embed` fails with.
 */
export async function measureSpeed(model: Model, source: string, signal: AbortSignal): Promise<void> {
  const key = speedKey(source, model.info.dtype, adapterName(model.info.adapter));
  const kept = readKept()[key];
  if (kept && isFresh(kept)) return;
  const text = 'the '.repeat(Math.min(SPEED_TOKENS, model.info.maxTokens) - 2).trim();
  const tokens = TEXTS * (await model.tokenize(text)).ids.length;
  const timed = async (texts: string[]) => {
    signal.throwIfAborted();
    const before = performance.now();
    await model.embed(texts, { signal });
    return performance.now() - before;
  };
  await timed([text]); // compiles
  const one = await timed([text]);
  const all = Array<string>(TEXTS).fill(text);
  let ms = one;
  if (one < SLOW) ms = await timed(all);
  else for (const text of all.slice(1)) ms += await timed([text]);
  keepSpeed(key, (tokens / ms) * 1000);
}

/** What was measured of a model that takes `flops` operations per token. */
export interface Measured {
  flops: number;
  tokensPerSecond: number;
}

/** Tokens per second of a model of `flops` operations per token, from the measured one nearest in size; undefined without any. */
export function estimateSpeed(flops: number, measured: Measured[]): number | undefined {
  const distance = (other: Measured) => Math.abs(Math.log(other.flops / flops));
  const [nearest] = measured.toSorted((a, b) => distance(a) - distance(b));
  return nearest && (nearest.tokensPerSecond * nearest.flops) / flops;
}

/** Two digits: more would say too much. */
const rounded = (n: number): string =>
  n < 10 ? String(Number(n.toPrecision(2))) : new Intl.NumberFormat('en').format(Number(n.toPrecision(2)));

/** A speed as people imagine it, such as `40 pages per second`. */
export function pagesPer(tokensPerSecond: number): string {
  const pages = tokensPerSecond / TOKENS_PER_PAGE;
  if (pages >= 1) return `${rounded(pages)} ${rounded(pages) === '1' ? 'page' : 'pages'} per second`;
  const seconds = 1 / pages;
  return `${rounded(seconds)} ${rounded(seconds) === '1' ? 'second' : 'seconds'} per page`;
}

/** What a card says of a model's speed here; undefined if nothing was measured. */
export function speedText(
  model: { source: string; flops: number },
  dtype: Dtype,
  adapter: string | undefined,
  speeds: Speeds,
  measured: Measured[],
): string | undefined {
  const own = adapter === undefined ? undefined : speeds[speedKey(model.source, dtype, adapter)];
  if (own) return `about ${pagesPer(own)}, measured`;
  const guess = estimateSpeed(model.flops, measured);
  return guess === undefined ? undefined : `about ${pagesPer(guess)}, estimated`;
}

/** Those of `models` that were measured on this adapter, whatever their dtype. */
export function measuredOf(
  models: { source: string; flops: number }[],
  adapter: string | undefined,
  speeds: Speeds,
): Measured[] {
  if (adapter === undefined) return [];
  return Object.entries(speeds).flatMap(([key, tokensPerSecond]) => {
    const model = models.find(({ source }) => key.startsWith(`${source} | `) && key.endsWith(` | ${adapter}`));
    return model ? [{ flops: model.flops, tokensPerSecond }] : [];
  });
}
