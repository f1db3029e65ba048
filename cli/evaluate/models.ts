/** Loading the models of an evaluation, what the result says of them, and how fast they were. */
import type { CallProgress, Model } from 'modernbert-webgpu/node';
import type { Values } from '../command';
import { modelLoader } from '../model';
import { promptName } from '../passages/fill';

/** What decides a model's numbers, and where they were computed. */
export interface ModelSummary {
  source: string;
  revision?: string;
  commit?: string;
  loraAdapter?: string;
  dtype: string;
  arithmetic: string;
  compute: string;
  maxTokens: number;
  device: string;
  [more: string]: unknown;
}

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

/** Throws an Error if an earlier run's model would have computed other numbers. */
export function checkSame(before: ModelSummary | undefined, now: ModelSummary): void {
  if (!before) return;
  const current: Record<string, unknown> = JSON.parse(JSON.stringify(now));
  for (const name of new Set([...Object.keys(before), ...Object.keys(current)])) {
    if (name === 'device' || JSON.stringify(before[name]) === JSON.stringify(current[name])) continue;
    const [old, other] = [before[name], current[name]].map((value) => JSON.stringify(value) ?? 'none');
    throw new Error(
      `The job was begun with ${now.source} of another ${name} (${old}, now ${other}). Use the same, or --overwrite.`,
    );
  }
}

type Kind = 'query' | 'document';

/** Options for a kind of text, and the prompt that this means. `given`: the user's own prompt. */
export function promptFor(model: Model, kind: Kind, given: string | undefined) {
  const name = promptName(model, kind);
  const prompt = given ?? model.info.prompts[name ?? kind] ?? '';
  return { prompt, options: { kind, prompt: given, promptName: given === undefined ? name : undefined } };
}

/** Tokens that a model has read, and the seconds it took, its loading left out. */
export interface Speed {
  tokens: number;
  seconds: number;
}

export interface Meter {
  /** An `onProgress` for one call. */
  listener(): (progress: CallProgress) => void;
  speed(): Speed;
}

/** `before`: of the runs that this one resumes. */
export function meter(before: Speed = { tokens: 0, seconds: 0 }): Meter {
  const start = performance.now();
  let tokens = before.tokens;
  return {
    listener() {
      let last = 0;
      return (progress) => {
        tokens += progress.tokens - last;
        last = progress.tokens;
      };
    },
    speed: () => ({ tokens, seconds: before.seconds + (performance.now() - start) / 1000 }),
  };
}
