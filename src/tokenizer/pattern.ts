import { ReplaceNormalizer } from '@huggingface/tokenizers';
import type { Json } from '../formats/json-fields';
import { whyUnsafe } from './backtracking';
import { unsupportedTokenizer } from './wrong';

/**
 * A pattern of tokenizer.json ({ String } or { Regex }, in Oniguruma's syntax) in JavaScript's. Throws an UnsupportedModelError for one that
 * could take for ever.
 */
export function compilePattern(component: string, pattern: Json): RegExp {
  // The library exports its translation in this place only.
  const { pattern: compiled } = new ReplaceNormalizer({ type: 'Replace', pattern, content: '' } as never);
  const why = pattern.Regex === undefined ? undefined : whyUnsafe(compiled!.source);
  if (why) throw unsupportedTokenizer(`${component}: the pattern`, pattern.Regex, why);
  return compiled!;
}
