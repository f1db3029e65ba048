/** Checks of what is added. Errors name the document. */
import { shown } from '../formats/json-fields';
import type { Checked } from './embedder';
import type { Metadata } from './types';

const NAMES = ['id', 'text', 'metadata'];
/** Levels of objects and lists in metadata; one that contains itself has more. */
const MOST_LEVELS = 100;

/** A document with a copy of its metadata. Throws a TypeError for wrong types, a RangeError for an empty id or text. */
export function checkedDocument(document: unknown, index: number): Checked {
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    throw new TypeError(`Document ${index} must be an object { id, text, metadata }, it is ${shown(document)}.`);
  }
  const { id, text, metadata = {} } = document as Record<string, unknown>;
  if (typeof id !== 'string') throw new TypeError(`The id of document ${index} must be a string, it is ${shown(id)}.`);
  if (id === '') throw new RangeError(`The id of document ${index} is empty.`);
  const name = `document ${shown(id)}`;
  const surplus = Object.keys(document).find((field) => !NAMES.includes(field));
  if (surplus !== undefined) {
    throw new TypeError(
      `The ${name} has a field ${shown(surplus)}; its fields are ${NAMES.join(', ')}. Put others into metadata.`,
    );
  }
  if (typeof text !== 'string') throw new TypeError(`The text of ${name} must be a string, it is ${shown(text)}.`);
  if (text.trim() === '') throw new RangeError(`The text of ${name} is empty.`);
  if (!isPlain(metadata)) {
    throw new TypeError(`The metadata of ${name} must be a plain object, it is ${kindOf(metadata)}.`);
  }
  return { id, text, metadata: copyOf(metadata, `The metadata of ${name}`) as Metadata };
}

/** A copy of a JSON value; properties that are undefined are left out, as in JSON. `where` begins the message of an error. */
function copyOf(value: unknown, where: string, level = 0): unknown {
  if (level > MOST_LEVELS) throw new TypeError(`${where.slice(0, 200)}… has more than ${MOST_LEVELS} levels.`);
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (Array.isArray(value)) return value.map((entry, i) => copyOf(entry, `${where}[${i}]`, level + 1));
  if (!isPlain(value)) {
    throw new TypeError(`${where} is ${kindOf(value)}, which JSON does not have. Make it a string or a number.`);
  }
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, entry]) => entry !== undefined)
      .map(([name, entry]) => [name, copyOf(entry, `${where}.${name}`, level + 1)]),
  );
}

const isPlain = (value: unknown): value is Metadata => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null; // also of another realm
};

const kindOf = (value: unknown): string =>
  typeof value === 'object' && value !== null
    ? `of class ${value.constructor?.name ?? 'unknown'}`
    : typeof value === 'bigint' || typeof value === 'function'
      ? `a ${typeof value}`
      : String(value);
