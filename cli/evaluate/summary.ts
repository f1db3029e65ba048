/** What the result says of a model, and how fast it was. */
import type { CallProgress } from 'modernbert-webgpu/node';

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
