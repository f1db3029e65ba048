import { unsupportedField, wrongField } from '../formats/json-fields';

export const wrongTokenizer = (field: string, value: unknown, what: string) =>
  wrongField('tokenizer.json', field, value, what);

export const unsupportedTokenizer = (field: string, value: unknown, why: string) =>
  unsupportedField('tokenizer.json', field, value, why);

export const isAbsent = (value: unknown): value is undefined | null => value === undefined || value === null;

/** A string of at most `most` UTF-16 units. */
export const isText = (value: unknown, most: number): value is string =>
  typeof value === 'string' && value.length <= most;
