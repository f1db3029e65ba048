/** Typed fields of a JSON file. Errors name the file, the field and its value. */
import { ModelFileError, UnsupportedModelError } from '../api/errors';

export type Json = Record<string, unknown>;

export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Integers of a checkpoint's files are at most this, unless a field says otherwise: no table, label or length is larger. */
export const MOST = 10_000_000;

/** A value for an error message, cut to 100 characters. */
export const shown = (value: unknown): string => {
  try {
    const text = JSON.stringify(typeof value === 'string' ? value.slice(0, 101) : value) ?? 'missing';
    return text.length > 100 ? `${text.slice(0, 100)}…` : text;
  } catch {
    return 'a value that is nested very deeply'; // more than the stack holds
  }
};

/** The error for a field with a wrong value. `what`: what it must be. */
export const wrongField = (file: string, field: string, value: unknown, what: string): ModelFileError =>
  new ModelFileError(`${file}: ${field} must be ${what}, it is ${shown(value)}.`);

/**
 * The error for a valid field that this library does not support. `why`: a clause such as "only unscaled RoPE is". `writer`: see writerOf; the
 * message then also says what to do.
 */
export const unsupportedField = (file: string, field: string, value: unknown, why: string, writer?: string) =>
  new UnsupportedModelError(
    `${file}: ${field} = ${shown(value)} is not supported; ${why}.` +
      (writer ? ` ${writer} wrote the file; a later version of this library may run it.` : ''),
  );

/** The library and its version that a file says it was written by, such as 'transformers 5.24.0'; undefined if it does not. */
export function writerOf(json: Json): string | undefined {
  const { __version__, transformers_version, peft_version } = json;
  const { pylate, sentence_transformers } = isObject(__version__) ? __version__ : {}; // with those of what they run on
  const versions = {
    PyLate: pylate,
    'sentence-transformers': sentence_transformers,
    transformers: transformers_version,
    peft: peft_version,
  };
  const [library, version] = Object.entries(versions).find(([, version]) => typeof version === 'string') ?? [];
  return library && `${library} ${String(version).slice(0, 100)}`;
}

export type JsonFields = ReturnType<typeof fieldsOf>;

/**
 * Reads fields of the parsed file. A field of null counts as absent, and so do all fields of a file that is undefined. A field without a
 * fallback is required, except for `text`. Throws a ModelFileError for a file that is not an object and a field of another type.
 */
export function fieldsOf(file: string, json: unknown = {}) {
  if (!isObject(json)) throw new ModelFileError(`${file} does not hold a JSON object.`);
  const wrong = (key: string, what: string) => wrongField(file, key, json[key], what);
  /** `value`: needed for a key such as `layer_types[3]`, which is not a field of the file. */
  const unsupported = (key: string, why: string, value = json[key]) =>
    unsupportedField(file, key, value, why, writerOf(json));
  const number = (key: string, fallback?: number): number => {
    const value = json[key] ?? fallback;
    if (typeof value === 'number' && Number.isFinite(value)) return value;
    throw wrong(key, 'a number');
  };
  return {
    file,
    json,
    wrong,
    unsupported,
    has: (key: string): boolean => (json[key] ?? undefined) !== undefined,
    number,
    /** Above 0, and at most `most`. */
    integer(key: string, fallback?: number, most = MOST): number {
      const value = number(key, fallback);
      if (Number.isInteger(value) && value > 0 && value <= most) return value;
      throw wrong(key, `a positive integer${value > most ? ` of at most ${most}` : ''}`);
    },
    boolean(key: string, fallback: boolean): boolean {
      const value = json[key] ?? fallback;
      if (typeof value === 'boolean') return value;
      throw wrong(key, 'true or false');
    },
    /** A string; undefined if absent. */
    text(key: string): string | undefined {
      const value = json[key] ?? undefined;
      if (value === undefined || typeof value === 'string') return value;
      throw wrong(key, 'a string');
    },
    /** An object of strings; empty if absent. */
    strings(key: string): Record<string, string> {
      const value = json[key] ?? {};
      if (isObject(value) && Object.values(value).every((text) => typeof text === 'string'))
        return { ...(value as Record<string, string>) };
      throw wrong(key, 'an object of strings');
    },
    /** Throws an UnsupportedModelError for any other value; `also`: further names that the message should give. */
    oneOf<T extends string>(key: string, known: readonly T[], fallback: T, also: readonly string[] = []): T {
      const value = json[key] ?? fallback;
      const found = known.find((name) => name === value);
      if (found !== undefined) return found;
      throw unsupported(key, `known are ${[...known, ...also].join(', ')}`);
    },
  };
}
