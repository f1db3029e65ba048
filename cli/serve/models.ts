/** The models of a server: by which names they are asked for, and what each can do. */
import type { Model } from 'modernbert-webgpu/node';
import { UsageError } from '../command';
import { RequestError } from './errors';

/** The calls that routes make. */
export type ServedCall = 'embed' | 'embedSparse' | 'classify' | 'rerank';

export interface ServedModel {
  /** What requests call it. */
  id: string;
  model: Model;
  calls: ReadonlySet<ServedCall>;
  /** Seconds since 1970. */
  loaded: number;
}

export interface NamedSource {
  id: string;
  source: string;
}

/** `alias=source`, or a source, which is then the name. An alias has letters, digits, `.`, `_`, `-` and at most one `/`. */
const ALIAS = /^(\w[\w.-]*(?:\/[\w.-]+)?)=(.+)$/;

/** Throws a UsageError for two models of one name. */
export function namedSources(given: string[]): NamedSource[] {
  const named = given.map((text) => {
    const [, alias, source] = ALIAS.exec(text) ?? [];
    return alias === undefined ? { id: withoutSecrets(text), source: text } : { id: alias, source };
  });
  const twice = named.find(({ id }, i) => named.findIndex((other) => other.id === id) < i);
  if (twice)
    throw new UsageError(`Two models are called '${twice.id}': give one another name, as in NAME=${twice.id}.`);
  return named;
}

/** An address without its query and user, which may be a token: everyone who asks sees the name. */
function withoutSecrets(source: string): string {
  if (!/^https?:/.test(source)) return source;
  const { origin, pathname } = new URL(source);
  return origin + pathname;
}

/** What is tried with checkpoints of a task. */
const TRIED: Partial<Record<Model['info']['task'], ServedCall[]>> = {
  encoder: ['embed', 'embedSparse'],
  mlm: ['embed', 'embedSparse'],
  seqcls: ['classify', 'rerank'],
};

const TRY: Record<ServedCall, (model: Model, signal: AbortSignal) => Promise<unknown>> = {
  embed: (model, signal) => model.embed('a', { kind: 'document', signal }),
  embedSparse: (model, signal) => model.embedSparse('a', { kind: 'document', signal }),
  classify: (model, signal) => model.classify('a', { signal }),
  rerank: (model, signal) => model.rerank('a', ['a'], { signal }),
};

/**
 * What a model can do, found out by doing it: so its heads are compiled and checked before the first request. A classifier's hidden states have
 * a mean too, but nobody trained it to be an embedding. Throws an Error for a model that no route uses.
 */
export async function callsOf(id: string, model: Model, signal: AbortSignal): Promise<Set<ServedCall>> {
  const calls = new Set<ServedCall>();
  let refusal = '';
  for (const call of TRIED[model.info.task] ?? []) {
    try {
      await TRY[call](model, signal);
      calls.add(call);
    } catch (error) {
      if ((error as Error).name !== 'UnsupportedModelError') throw error;
      refusal = (error as Error).message;
    }
  }
  if (calls.size > 0) return calls;
  throw new Error(
    `${id} has no route: serve is for embeddings, sparse embeddings, classifiers and rerankers. ${refusal || `Its task is ${model.info.task}.`}`,
  );
}

const NEEDS: Record<ServedCall, string> = {
  embed: 'an embedding model',
  embedSparse: 'a sparse (SPLADE) model',
  classify: 'a sequence classifier',
  rerank: 'a reranker (a sequence classifier with one or two labels)',
};

/** The model of that name, by default the first one that can do the call; any model without a call. */
export function modelFor(models: ServedModel[], name: string | undefined, call?: ServedCall): ServedModel {
  const ids = models.map(({ id }) => id).join(', ');
  const can = ({ calls }: ServedModel) => call === undefined || calls.has(call);
  if (name === undefined) {
    const found = models.find(can);
    if (found) return found;
    throw new RequestError('model_type', `This route needs ${NEEDS[call!]}; none is loaded: ${ids}.`);
  }
  const found = models.find(({ id }) => id === name);
  if (!found) {
    throw new RequestError('model', `There is no model '${name.slice(0, 100)}'; there are ${ids}.`, 'model');
  }
  if (can(found)) return found;
  throw new RequestError('model_type', `This route needs ${NEEDS[call!]}, which ${found.id} is not.`, 'model');
}
