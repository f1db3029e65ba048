/** Reads how a multi-vector checkpoint turns texts into tokens: the files of sentence-transformers 6 and of PyLate. */
import { fieldsOf, isObject, type JsonFields } from '../../formats/json-fields';
import type { Expansion, MultiVectorConfig } from '../multi-vector';
import type { Module } from './module';
import { type MultiVectorMask, texts } from './multi-vector-mask';
import type { TokenPooling } from './token-pooling';

const PUNCTUATION = [...'!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~'];

export function multiVectorOf(main: JsonFields, bert: JsonFields, modules: Module[]): MultiVectorConfig {
  const mask = modules.find((module): module is MultiVectorMask => module.kind === 'MultiVectorMask');
  const pooling = modules.find((module): module is TokenPooling => module.kind === 'HierarchicalTokenPooling');
  return main.json.model_type === 'MultiVectorEncoder' || mask
    ? { ...ofSentenceTransformers(bert, mask), pooling }
    : { ...ofPyLate(main), pooling };
}

/** base/modules/transformer.py. */
function ofSentenceTransformers(
  bert: JsonFields,
  mask: MultiVectorMask | undefined,
): Omit<MultiVectorConfig, 'pooling'> {
  const length = (key: string) => (bert.has(key) ? bert.integer(key) : undefined);
  return {
    prefixes: { query: '', document: '' },
    lengths: { query: length('query_length'), document: length('document_length') },
    expansion: expansionOf(bert),
    skiplist_words: mask?.skiplist_words ?? [],
    skiplist_tasks: mask?.skiplist_tasks ?? [],
    keep_only_token_ids: mask?.keep_only_token_ids,
    normalizes: false,
  };
}

function expansionOf({ file, json: { query_expansion }, wrong }: JsonFields): Expansion | undefined {
  if ((query_expansion ?? undefined) === undefined) return undefined;
  if (!isObject(query_expansion)) throw wrong('query_expansion', 'an object');
  const { oneOf, integer, boolean, text } = fieldsOf(`${file}: query_expansion`, query_expansion);
  return {
    strategy: oneOf('strategy', ['fixed', 'min'], 'fixed'),
    length: integer('length'),
    attend: boolean('attend', false),
    token: text('token'),
  };
}

/** The defaults are PyLate's. */
function ofPyLate(main: JsonFields): Omit<MultiVectorConfig, 'pooling'> {
  const query_length = main.integer('query_length', 32);
  return {
    prefixes: { query: main.text('query_prefix') ?? '[Q] ', document: main.text('document_prefix') ?? '[D] ' },
    lengths: { query: query_length, document: main.integer('document_length', 180) },
    expansion: main.boolean('do_query_expansion', true)
      ? {
          strategy: 'fixed',
          length: query_length,
          attend: main.boolean('attend_to_expansion_tokens', false),
          token: undefined,
        }
      : undefined,
    skiplist_words: texts(main, 'skiplist_words', PUNCTUATION),
    skiplist_tasks: ['document'],
    keep_only_token_ids: undefined,
    normalizes: true,
  };
}
