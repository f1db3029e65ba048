/** Loading the models of an evaluation. */
import type { Model } from 'modernbert-webgpu/node';
import type { Values } from '../command';
import { modelLoader } from '../model';
import type { ModelSummary } from './summary';

/** Options of the command that are the first model's alone. */
const OWN = ['adapter', 'task', 'revision', 'max-length'];

/** The options for a second model, such as a reranker. */
export const withoutOwn = (values: Values): Values => {
  const unless = <T>(name: string, value: () => T) => (OWN.includes(name) ? undefined : value());
  return {
    flag: values.flag,
    text: (name) => unless(name, () => values.text(name)),
    count: (name) => unless(name, () => values.count(name)),
    list: (name) => unless(name, () => values.list(name)),
    choice: (name, choices) => unless(name, () => values.choice(name, choices)),
  };
};

export interface Loader {
  source: string;
  load(signal: AbortSignal): Promise<Model>;
  summary(model: Model, more?: Record<string, unknown>): ModelSummary;
}

/** Checks the model's options. */
export function loaderOf(source: string, values: Values): Loader {
  return {
    source,
    load: modelLoader(source, values),
    summary({ info }, more) {
      const { dtype, arithmetic, compute, commit, maxTokens, adapter } = info;
      return {
        source,
        revision: values.text('revision'),
        commit,
        loraAdapter: values.text('adapter'),
        dtype,
        arithmetic,
        compute,
        maxTokens,
        ...more,
        device: adapter.description || adapter.vendor,
      };
    },
  };
}

type Kind = 'query' | 'document';

/** Options for a kind of text, and the prompt that this means. `given`: the user's own prompt. */
export function promptFor(model: Model, kind: Kind, given: string | undefined) {
  const { prompts, promptNames } = model.info;
  const name = promptNames[kind];
  return { prompt: given ?? (name === undefined ? '' : prompts[name]), options: { kind, prompt: given } };
}
