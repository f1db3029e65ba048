import type { Calls, Tokens } from '../api/calls';
import { chunk } from './chunk';
import { classify } from './classify';
import { classifyTokens } from './classify-tokens';
import { type Parts, tokenizerOf } from './common';
import { embed } from './embed';
import { fillMask } from './fill-mask';
import { createForward } from './forward';
import { embedMultiVector } from './multi-vector';
import { rerank } from './rerank';
import { zeroShot } from './zero-shot';

/** The calls of a Model: text in, typed results out. Each makes its sequences' items and waits for their passes. */
export function modelCalls(parts: Parts): Calls {
  return {
    fillMask: oneOrMany(parts, fillMask) as Calls['fillMask'],
    embed: (texts, options) => embed(parts, texts, options),
    embedMultiVector: oneOrMany(parts, embedMultiVector) as Calls['embedMultiVector'],
    classify: oneOrMany(parts, classify) as Calls['classify'],
    zeroShot: oneOrMany(parts, zeroShot) as Calls['zeroShot'],
    rerank: (query, documents, options) => rerank(parts, query, documents, options),
    classifyTokens: oneOrMany(parts, classifyTokens) as Calls['classifyTokens'],
    chunk: oneOrMany(parts, chunk) as Calls['chunk'],
    forward: createForward(parts.config, parts.info, parts.submit),
    async tokenize(text, pair): Promise<Tokens> {
      if (typeof text !== 'string') throw new TypeError(`The text is not a string but ${typeof text}.`);
      return tokenizerOf(parts).encode(text, pair);
    },
  };
}

/** A single text gives a single result. */
const oneOrMany =
  <T, A extends unknown[], R>(parts: Parts, many: (parts: Parts, texts: T[], ...rest: A) => Promise<R[]>) =>
  async (texts: T | T[], ...rest: A): Promise<R | R[]> =>
    Array.isArray(texts) ? many(parts, texts, ...rest) : (await many(parts, [texts], ...rest))[0];
