/** The fields of a request's JSON. A field that is null counts as absent, as in both APIs; one that the route does not know is an error. */
import type { Kind } from 'modernbert-webgpu/node';
import { RequestError } from './errors';

export interface Fields {
  /** Undefined if absent. */
  value(name: string): unknown;
  text(name: string): string | undefined;
  flag(name: string): boolean | undefined;
  /** A positive integer. */
  count(name: string): number | undefined;
  choice<T>(name: string, choices: ReadonlyMap<string, T>): T | undefined;
}

export function fieldsOf(body: unknown, known: readonly string[]): Fields {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new RequestError('field', `The body must be a JSON object, not ${kindOf(body)}.`);
  }
  const unknown = Object.keys(body).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    const name = unknown.slice(0, 100);
    throw new RequestError('field', `There is no field '${name}' here; the fields are ${known.join(', ')}.`, name);
  }
  const value = (name: string): unknown => (body as Record<string, unknown>)[name] ?? undefined;
  return {
    value,
    text(name) {
      const text = value(name);
      if (text === undefined || typeof text === 'string') return text;
      throw wrong(name, 'a string', text);
    },
    flag(name) {
      const flag = value(name);
      if (flag === undefined || typeof flag === 'boolean') return flag;
      throw wrong(name, 'true or false', flag);
    },
    count(name) {
      const count = value(name);
      if (count === undefined || (Number.isSafeInteger(count) && (count as number) > 0)) return count as undefined;
      throw wrong(name, 'a positive integer', count);
    },
    choice(name, choices) {
      const choice = value(name);
      if (choice === undefined) return undefined;
      if (typeof choice === 'string' && choices.has(choice)) return choices.get(choice);
      throw wrong(name, `one of ${[...choices.keys()].join(', ')}`, choice);
    },
  };
}

export const wrong = (name: string, what: string, value: unknown): RequestError =>
  new RequestError('field', `\`${name}\` must be ${what}, not ${kindOf(value)}.`, name.replace(/\[.*/, ''));

const kindOf = (value: unknown): string => {
  if (value === undefined) return 'left out';
  if (typeof value === 'string') return `'${value.slice(0, 50)}'`;
  return value === null || typeof value !== 'object' ? String(value) : Array.isArray(value) ? 'an array' : 'an object';
};

/** A text, or the ids of its tokens. */
export type Input = string | { ids: number[] };

/** `input` and `inputs` of embeddings: a text or the ids of one, or a list of these. */
export function inputsOf(value: unknown, name: string, most: number): { inputs: Input[]; isSingle: boolean } {
  const isSingle = typeof value === 'string' || (Array.isArray(value) && typeof value[0] === 'number');
  const list = isSingle ? [value] : value;
  checkList(list, name, most, 'a string, token ids, or a list of these');
  const inputs = list.map((entry, i) => {
    const own = isSingle ? name : `${name}[${i}]`;
    if (!Array.isArray(entry)) return textOf(entry, own, 'a string or token ids');
    if (entry.length === 0) throw new RequestError('empty', `\`${own}\` is empty.`, name);
    if (!entry.every((id) => Number.isInteger(id) && id >= 0)) throw wrong(own, 'token ids, integers from 0', entry);
    return { ids: entry };
  });
  return { inputs, isSingle };
}

export function textsOf(value: unknown, name: string, most: number): string[] {
  checkList(value, name, most, 'a list of strings');
  return value.map((text, i) => textOf(text, `${name}[${i}]`));
}

export function textOf(value: unknown, name: string, what = 'a string'): string {
  if (typeof value !== 'string') throw wrong(name, what, value);
  if (value === '') throw new RequestError('empty', `\`${name}\` is empty.`, name.replace(/\[.*/, ''));
  return value;
}

export function checkList(value: unknown, name: string, most: number, what: string): asserts value is unknown[] {
  if (!Array.isArray(value)) throw wrong(name, what, value);
  if (value.length === 0) throw new RequestError('empty', `\`${name}\` is empty.`, name);
  if (value.length <= most) return;
  throw new RequestError(
    'batch_size',
    `\`${name}\` has ${value.length} entries; a request may have ${most} (--max-client-batch-size).`,
    name,
  );
}

/** What a text is in a search, as Voyage, Cohere and NVIDIA spell it. */
const INPUT_TYPES: ReadonlyMap<string, Kind> = new Map([
  ['query', 'query'],
  ['document', 'document'],
  ['search_query', 'query'],
  ['search_document', 'document'],
  ['passage', 'document'],
]);

/** Token ids are read as they are: a default prompt is for texts. */
export function promptOf(fields: Fields, inputs: Input[]) {
  const kind = fields.choice('input_type', INPUT_TYPES);
  const promptName = fields.text('prompt_name');
  const hasIds = inputs.some((input) => typeof input === 'object');
  if (hasIds && promptName !== undefined) {
    throw new RequestError('field', 'No prompt can be put before token ids: leave `prompt_name` out.', 'prompt_name');
  }
  return { kind, promptName, ...(hasIds && { prompt: '' }) };
}
