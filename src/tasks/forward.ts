import type { ForwardOptions, OutputName, Tensor, TokenBatch } from '../api/calls';
import { UnsupportedModelError } from '../api/errors';
import { CALL_OPTIONS, type OptionNames } from '../api/options';
import type { ModelConfig } from '../model/config';
import type { Head } from '../model/heads/head';
import { lastHiddenState } from '../model/heads/hidden';
import { poolerOutput } from '../model/heads/logits';
import { TASKS } from '../model/heads/tasks';
import type { Item } from '../runtime/pass-items';
import type { Call } from './call';
import { checkLength, inputsOf, type Parts } from './common';

/** Per output: 2 GiB. */
const MOST_NUMBERS = 2 ** 29;

const OPTIONS: OptionNames<ForwardOptions> = { ...CALL_OPTIONS, outputs: true, rows: true };

/** Token ids in, hidden states and logits of the chosen rows out. */
export const forward: Call = {
  options: OPTIONS,
  async run(
    parts: Parts,
    batch: TokenBatch,
    { outputs = ['last_hidden_state'], rows, signal, onProgress, truncate = false }: ForwardOptions = {},
  ) {
    const { config, info, logits, submit } = parts;
    const limits = { ...info, maxTokens: config.max_position_embeddings }; // the tokenizer's limit is not the model's
    const sequences = sequencesOf(batch, config, truncate ? limits.maxTokens : undefined);
    for (const [i, { ids }] of sequences.entries()) checkLength(limits, ids.length, `Sequence ${i}`);
    const task = TASKS[info.task];
    if (outputs.includes('logits') && !task.logits) {
      throw new UnsupportedModelError(`The output 'logits' needs a head; this checkpoint is a ${task.name}.`);
    }
    if (outputs.includes('pooler_output') && !parts.hasPooler) {
      throw new UnsupportedModelError("The output 'pooler_output' needs BERT's pooler, which this checkpoint lacks.");
    }
    const bySequence = task.logits?.by === 'sequence';
    const { count, perSequence } = streamRows(sequences, rows);
    const stages = config.num_hidden_layers + 1;
    const hidden = config.hidden_size;
    const shapes: Record<OutputName, number[]> = {
      last_hidden_state: [count, hidden],
      hidden_states: [stages, count, hidden],
      logits: [bySequence ? sequences.length : count, logits],
      pooler_output: [sequences.length, hidden],
    };
    const result: Partial<Record<OutputName, Tensor>> = {};
    for (const name of outputs) {
      const shape = shapes[name];
      if (!shape) throw new RangeError(`Unknown output '${name}'; known are ${Object.keys(shapes).join(', ')}.`);
      const size = shape.reduce((a, b) => a * b, 1);
      if (size > MOST_NUMBERS) {
        throw new RangeError(
          `The output '${name}' would be [${shape}], ${size} numbers; the limit is ${MOST_NUMBERS}. Ask for fewer rows.`,
        );
      }
      result[name] = { data: new Float32Array(size), shape };
    }
    const items = sequences.map((sequence, s): Item => {
      const { rows: own, places } = perSequence[s];
      const item: Item = { ...inputsOf(parts, sequence), name: `Sequence ${s}`, wanted: [] };
      const { last_hidden_state, hidden_states, logits: scores, pooler_output } = result;
      const place = (head: Head, to: Float32Array, at: number[]) => {
        if (at.length === 0) return;
        item.wanted.push({ head, rows: own, deliver: (data, width) => placeRows(to, at, data, width) });
      };
      if (last_hidden_state) place(lastHiddenState, last_hidden_state.data, places);
      if (scores) place(task.logits!, scores.data, bySequence ? [s] : places);
      if (pooler_output) place(poolerOutput, pooler_output.data, [s]);
      if (hidden_states && own.length > 0) {
        item.hidden = {
          rows: own,
          deliver: (all) => {
            for (const [stage, state] of all.entries()) {
              const from = stage * count * hidden;
              placeRows(hidden_states.data.subarray(from, from + count * hidden), places, state, hidden);
            }
          },
        };
      }
      return item;
    });
    await submit(
      items.filter((item) => item.wanted.length > 0 || item.hidden),
      { signal, onProgress },
    );
    return result;
  },
};

/** Copies row r of `rows` [places, width] to row places[r] of `to`. */
function placeRows(to: Float32Array, places: number[], rows: Float32Array, width: number): void {
  for (const [r, place] of places.entries()) to.set(rows.subarray(r * width, (r + 1) * width), place * width);
}

/** Splits a caller's batch into sequences. Throws a TypeError or RangeError for anything but lists of token ids. */
export function sequencesOf(
  batch: TokenBatch,
  { vocab_size, type_vocab_size = 0 }: Pick<ModelConfig, 'vocab_size' | 'type_vocab_size'>,
  maxTokens = Infinity,
): { ids: Uint32Array; tokenTypeIds: Uint32Array; start: number }[] {
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
  const types = typesOf(batch, inputIds.length, type_vocab_size);
  let start = 0;
  return Array.from(lengths, (length, i) => {
    if (length === 0) throw new RangeError(`lengths[${i}] is 0: a sequence needs at least one token.`);
    const cut = (all: Uint32Array) => all.slice(start, start + Math.min(length, maxTokens));
    const sequence = { ids: cut(inputIds), tokenTypeIds: cut(types), start };
    start += length;
    return sequence;
  });
}

function typesOf({ tokenTypeIds }: TokenBatch, count: number, type_vocab_size: number): Uint32Array {
  if (tokenTypeIds === undefined) return new Uint32Array(count);
  const types = integers(tokenTypeIds, 'tokenTypeIds');
  if (types.length !== count) {
    throw new RangeError(`tokenTypeIds has ${types.length} entries, but inputIds has ${count} ids.`);
  }
  const high = types.findIndex((type) => type > 0 && type >= type_vocab_size);
  if (high < 0) return types;
  const known = type_vocab_size > 1 ? `types 0 to ${type_vocab_size - 1}` : 'no token types: leave tokenTypeIds out';
  throw new RangeError(`tokenTypeIds[${high}] is ${types[high]}; this model has ${known}.`);
}

/** A list of non-negative integers as a Uint32Array; the list itself if it is one. */
export function integers(list: ArrayLike<number> | undefined, name: string): Uint32Array {
  if (list instanceof Uint32Array) return list;
  if (list === undefined || list === null || typeof list !== 'object' || typeof list.length !== 'number') {
    throw new TypeError(`${name} must be a Uint32Array, it is ${list === null ? 'null' : typeof list}.`);
  }
  return Uint32Array.from({ length: list.length }, (_, i) => {
    const value: unknown = list[i];
    if (typeof value !== 'number' || !Number.isInteger(value)) {
      throw new TypeError(
        `${name}[${i}] is ${typeof value === 'bigint' ? `the bigint ${value}` : String(value)}, not an integer. Pass a Uint32Array.`,
      );
    }
    if (value < 0 || value > 0xffffffff) throw new RangeError(`${name}[${i}] is ${value}, out of range for an id.`);
    return value;
  });
}

/**
 * Per sequence, which of its rows are returned and at which place of the result each goes. `asked`: stream rows in the caller's numbering;
 * default all.
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
