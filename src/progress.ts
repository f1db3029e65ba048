/**
 * Entry for progress bars, `modernbert-webgpu/progress`: what a load has read of all its files together, and how long it will still take, in numbers
 * and in words.
 */
import { checkOptions, type OptionNames } from './api/options';
import type { Progress } from './api/types';
import { createEstimate, timeLeft } from './time-left';

/** All files of a load together. */
export interface LoadProgress {
  /** Bytes so far. It never falls. */
  loaded: number;
  /**
   * Bytes of the files that the load has begun to read, with those of shards that are still to come estimated; undefined until the size of the weights
   * is known. It grows when a further file begins: tokenizer.json begins once the weights have begun.
   */
  total: number | undefined;
  /** At the speed of the last 20 seconds; undefined in the first second of the weights, and while `total` is. */
  secondsLeft: number | undefined;
  /** Such as `12 of 160 MB, 8 s left`. */
  text: string;
}

/** What a text is made of: numbers without their unit, and a time with it. */
export interface ProgressWords {
  /** `12` */
  loaded: string;
  /** `160`; undefined if it is not known, and when all is loaded. */
  total: string | undefined;
  /** `kB`, `MB` or `GB` */
  unit: string;
  /** `8 s`, `3 min` or `1.5 h`; undefined if it is not known, and when all is loaded. */
  left: string | undefined;
}

export interface DescribeProgressOptions {
  /** Whose digits and separators the text has: an argument of Intl.NumberFormat. Default `en`. */
  locale?: string | string[];
  /** Puts the words together, for other languages than English. */
  phrase?: (words: ProgressWords) => string;
}

const OPTIONS: OptionNames<DescribeProgressOptions> = { locale: true, phrase: true };

/** An `onProgress` for one call of loadModel, which calls `report` with all files together. Throws a RangeError for a locale that Intl does not know. */
export function describeProgress(
  report: (progress: LoadProgress) => void,
  options: DescribeProgressOptions = {},
): (progress: Progress) => void {
  checkOptions('describeProgress', options, OPTIONS);
  const { locale = 'en', phrase = english } = options;
  const formats = [0, 1].map(
    (digits) => new Intl.NumberFormat(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits }),
  );
  const files = new Map<string, Omit<Progress, 'file'>>();
  const estimate = createEstimate();
  return ({ file, loaded, total }) => {
    // After the loss of a device or a worker the files begin again.
    files.set(file, { loaded: Math.max(loaded, files.get(file)?.loaded ?? 0), total });
    const all = { loaded: 0, total: totalOf(files) };
    for (const { loaded } of files.values()) all.loaded += loaded;
    const secondsLeft = estimate(all.loaded, all.total);
    report({ ...all, secondsLeft, text: phrase(wordsOf(all.loaded, all.total, secondsLeft, formats)) });
  };
}

const english = ({ loaded, total, unit, left }: ProgressWords): string =>
  `${total ? `${loaded} of ${total}` : loaded} ${unit}${left ? `, ${left} left` : ''}`;

/** Those of a LoRA adapter are read before those of its base, and are small. Without WebGPU (fallback.ts) weights are in an ONNX file. */
const WEIGHTS = /^(?!(.*\/)?adapter_model).*\.(safetensors|onnx)$/;
const SHARD = /-of-(\d+)\.safetensors$/;

/** Undefined until all begun weights have a size. Other files without one count as far as they are. */
function totalOf(files: ReadonlyMap<string, Omit<Progress, 'file'>>): number | undefined {
  const weights = [...files].filter(([file]) => WEIGHTS.test(file));
  if (weights.length === 0 || weights.some(([, { total }]) => total === undefined)) return undefined;
  const shards = weights.filter(([file]) => SHARD.test(file));
  const count = shards.reduce((most, [file]) => Math.max(most, Number(SHARD.exec(file)![1])), 0);
  const largest = shards.reduce((most, [, { total }]) => Math.max(most, total!), 0);
  let sum = (count - shards.length) * largest;
  for (const { loaded, total = loaded } of files.values()) sum += total;
  return sum;
}

const UNITS = [
  [1e9, 'GB'],
  [1e6, 'MB'],
  [1e3, 'kB'],
] as const;

function wordsOf(
  loaded: number,
  total: number | undefined,
  secondsLeft: number | undefined,
  formats: Intl.NumberFormat[],
): ProgressWords {
  const bytes = total ?? loaded;
  const [size, unit] = UNITS.find(([least]) => bytes >= least) ?? [1e3, 'kB'];
  const digits = unit === 'GB' || (unit === 'MB' && bytes < 1e7) ? 1 : 0;
  const shown = (number: number, round: (value: number) => number, digits: 0 | 1) =>
    formats[digits].format(round(number * 10 ** digits) / 10 ** digits);
  const isDone = loaded === total;
  return {
    // Not all before it is.
    loaded: shown(loaded / size, isDone ? Math.round : Math.floor, digits),
    total: total === undefined || isDone ? undefined : shown(total / size, Math.round, digits),
    unit,
    left: secondsLeft ? timeLeft(secondsLeft, formats) : undefined,
  };
}
