import type { Model, Tokens } from '../api';
import { createForward } from '../forward';
import { classify } from './classify';
import { classifyTokens } from './classify-tokens';
import { type Parts, tokenizerOf } from './common';
import { embed } from './embed';
import { fillMask } from './fill-mask';

/** The calls of a Model: text in, typed results out. Each makes its sequences' items and waits for their passes. */
export function modelCalls(parts: Parts): Omit<Model, 'info' | 'memory' | 'dispose'> {
  return {
    fillMask: oneOrMany(parts, fillMask) as Model['fillMask'],
    embed: (texts, options) => embed(parts, texts, options),
    classify: oneOrMany(parts, classify) as Model['classify'],
    classifyTokens: oneOrMany(parts, classifyTokens) as Model['classifyTokens'],
    forward: createForward(parts.config, parts.info, parts.submit),
    async tokenize(text, pair): Promise<Tokens> {
      if (typeof text !== 'string') throw new TypeError(`The text is not a string but ${typeof text}.`);
      return tokenizerOf(parts).encode(text, pair);
    },
  };
}

/** A single text gives a single result. */
const oneOrMany =
  <O, R>(parts: Parts, many: (parts: Parts, texts: string[], options?: O) => Promise<R[]>) =>
  async (texts: string | string[], options?: O): Promise<R | R[]> =>
    typeof texts === 'string' ? (await many(parts, [texts], options))[0] : many(parts, texts, options);
