import type { Calls, Kind } from '../api/calls';
import { bound, type Call } from './call';
import { chunk } from './chunk';
import { classify } from './classify';
import { classifyTokens } from './classify-tokens';
import type { Parts } from './common';
import { embed } from './embed';
import { embedMultiVector } from './embed-multi-vector';
import { entities } from './entities';
import { fillMask } from './fill-mask';
import { forward } from './forward';
import { rerank } from './rerank';
import { tokenize } from './tokenize';
import { zeroShot } from './zero-shot';

/** The calls of a Model, by the names that the API gives them (api/calls.ts). */
const CALLS: Record<keyof Calls, Call> = {
  fillMask,
  embed,
  embedMultiVector,
  classify,
  zeroShot,
  rerank,
  classifyTokens,
  entities,
  chunk,
  forward,
  tokenize,
};

/** Text in, typed results out. Each call makes an item per sequence and waits for their passes. */
export const modelCalls = (parts: Parts): Calls =>
  Object.fromEntries(Object.entries(CALLS).map(([name, call]) => [name, bound(parts, name, call)])) as unknown as Calls;

/** The calls of several models: those with an option kind go to the model for it, the others to `usual`. */
export const routedCalls = (usual: Calls, modelFor: (kind: Kind | 'any') => Calls): Calls =>
  Object.fromEntries(
    Object.entries(CALLS).map(([name, { inputs = 1, options }]) => [
      name,
      async (...args: unknown[]) => {
        const { kind = 'any' } = (args[inputs] ?? {}) as { kind?: Kind };
        const model = options?.kind ? modelFor(kind) : usual;
        return (model[name as keyof Calls] as (...args: unknown[]) => unknown)(...args);
      },
    ]),
  ) as unknown as Calls;
