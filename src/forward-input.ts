import type { TokenBatch } from './api';

/** Splits a caller's batch into sequences. Throws TypeError or RangeError for anything that is no list of token ids. */
export function sequencesOf(batch: TokenBatch, vocab_size: number, maxTokens = Infinity): { ids: Uint32Array; start: number }[] {
  const inputIds = integers(batch?.inputIds, 'inputIds');
  const lengths = integers(batch?.lengths, 'lengths');
  if (lengths.length === 0) throw new RangeError('The batch is empty: lengths has no entries.');
  const sum = lengths.reduce((a, b) => a + b, 0);
  if (sum !== inputIds.length) {
    throw new RangeError(`lengths add up to ${sum}, but inputIds has ${inputIds.length} ids.`);
  }
  const high = inputIds.findIndex((id) => id >= vocab_size);
  if (high >= 0) {
    throw new RangeError(`inputIds[${high}] is ${inputIds[high]}; the vocabulary has ids 0 to ${vocab_size - 1}.`);
  }
  let start = 0;
  return Array.from(lengths, (length, i) => {
    if (length === 0) throw new RangeError(`lengths[${i}] is 0: a sequence needs at least one token.`);
    const ids = inputIds.slice(start, start + Math.min(length, maxTokens));
    start += length;
    return { ids, start: start - length };
  });
}

/** A list of non-negative integers as the kernels want it, always a copy or a Uint32Array. */
function integers(list: ArrayLike<number> | undefined, name: string): Uint32Array {
  if (list instanceof Uint32Array) return list;
  if (list === undefined || list === null || typeof list !== 'object' || typeof list.length !== 'number') {
    throw new TypeError(`${name} must be a Uint32Array, it is ${list === null ? 'null' : typeof list}.`);
  }
  return Uint32Array.from({ length: list.length }, (_, i) => {
    const value: unknown = list[i];
    if (typeof value !== 'number' || !Number.isInteger(value)) {
      throw new TypeError(`${name}[${i}] is ${typeof value === 'bigint' ? `the bigint ${value}` : String(value)}, not an integer. Pass a Uint32Array.`);
    }
    if (value < 0 || value > 0xffffffff) throw new RangeError(`${name}[${i}] is ${value}, out of the range of an id.`);
    return value;
  });
}

/**
 * For every sequence, which of its rows are wanted and at which place of the result each goes. `rows`: stream rows in the caller's
 * numbering; all by default.
 */
export function streamRows(sequences: { ids: Uint32Array; start: number }[], asked: ArrayLike<number> | undefined) {
  const rows = asked === undefined ? undefined : integers(asked, 'rows');
  if (rows === undefined) {
    let place = 0;
    const perSequence = sequences.map(({ ids }) => {
      const places = Array.from(ids, (_, r) => place + r);
      place += ids.length;
      return { rows: Uint32Array.from(ids.keys()), places };
    });
    return { count: place, perSequence };
  }
  const perSequence = sequences.map(() => ({ rows: [] as number[], places: [] as number[] }));
  rows.forEach((row, place) => {
    const s = sequences.findLastIndex(({ start }) => start <= row);
    const { ids, start } = sequences[s];
    if (row - start >= ids.length) {
      const last = sequences[sequences.length - 1];
      throw new RangeError(`rows[${place}] is ${row}; the stream has rows 0 to ${last.start + last.ids.length - 1}.`);
    }
    perSequence[s].rows.push(row - start);
    perSequence[s].places.push(place);
  });
  return {
    count: rows.length,
    perSequence: perSequence.map(({ rows: own, places }) => ({ rows: Uint32Array.from(own), places })),
  };
}
