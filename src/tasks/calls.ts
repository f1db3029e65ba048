import type { Calls } from '../api/calls';
import type { Kind } from '../api/embeddings';
import type { Task } from '../api/types';
import { bound, type Call } from './call';
import type { Parts } from './common';
import { embed } from './embed';
import { tokenize } from './tokenize';

const more = async () => (await import('./more-calls')).moreCalls;
const sparse = async () => (await import('./sparse-calls')).sparseCalls;

/** Fetches the calls of checkpoints with a head, so that the first one does not wait for them. */
export const fetchCalls = (task: Task): void => void (task !== 'encoder' && more().catch(() => {}));

/** The calls of a Model, by the names that the API gives them (api/calls.ts); most are in parts of the worker, which the first call fetches. */
const CALLS: Record<keyof Calls, () => Call | Promise<Call>> = {
  fillMask: async () => (await more()).fillMask,
  embed: () => embed,
  embedMultiVector: async () => (await more()).embedMultiVector,
  embedSparse: async () => (await sparse()).embedSparse,
  decodeSparse: async () => (await sparse()).decodeSparse,
  classify: async () => (await more()).classify,
  zeroShot: async () => (await more()).zeroShot,
  rerank: async () => (await more()).rerank,
  classifyTokens: async () => (await more()).classifyTokens,
  entities: async () => (await more()).entities,
  answer: async () => (await more()).answer,
  chunk: async () => (await more()).chunk,
  forward: async () => (await more()).forward,
  tokenize: () => tokenize,
};

/** Text in, typed results out. Each call makes an item per sequence and waits for their passes. */
export const modelCalls = (parts: Parts): Calls =>
  Object.fromEntries(Object.entries(CALLS).map(([name, call]) => [name, bound(parts, name, call)])) as unknown as Calls;

/** The calls of several models: those with an option kind go to the model for it, the others to `usual`. */
export const routedCalls = (usual: Calls, modelFor: (kind: Kind | 'any') => Calls): Calls =>
  Object.fromEntries(
    Object.entries(CALLS).map(([name, call]) => [
      name,
      async (...args: unknown[]) => {
        const { inputs = 1, options } = await call();
        const { kind = 'any' } = (args[inputs] ?? {}) as { kind?: Kind };
        const model = options?.kind ? modelFor(kind) : usual;
        return (model[name as keyof Calls] as (...args: unknown[]) => unknown)(...args);
      },
    ]),
  ) as unknown as Calls;
