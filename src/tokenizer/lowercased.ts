import { isObject } from '../formats/json-fields';

/**
 * tokenizer.json with a normalizer that lowercases first, unless it has one: what sentence-transformers makes of do_lower_case in
 * sentence_bert_config.json.
 */
export function lowercased(tokenizerJson: unknown): unknown {
  if (!isObject(tokenizerJson)) return tokenizerJson;
  const { normalizer } = tokenizerJson;
  const all = (
    isObject(normalizer) && Array.isArray(normalizer.normalizers) ? normalizer.normalizers : [normalizer]
  ).filter(isObject);
  if (all.some(({ type, lowercase }) => type === 'Lowercase' || lowercase === true)) return tokenizerJson;
  return { ...tokenizerJson, normalizer: { type: 'Sequence', normalizers: [{ type: 'Lowercase' }, ...all] } };
}
