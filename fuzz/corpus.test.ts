import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ModelFileError } from '../src/api/errors';
import { randomOf } from './random';
import { failureOf, type Target } from './target';
import { TARGETS } from './targets';

const CORPUS = join(process.cwd(), 'fuzz/corpus');

/** Inputs that failed once. */
const inputs = readdirSync(CORPUS).flatMap((target) =>
  readdirSync(join(CORPUS, target)).map((name) => [target, name] as const),
);

it.each(inputs)('%s/%s, which failed once, is read or refused by name', async (name, file) => {
  const target = TARGETS.find((known) => known.name === name);
  expect(await failureOf(target!, Uint8Array.from(readFileSync(join(CORPUS, name, file))))).toBeUndefined();
});

it.each(TARGETS)('the seeds of $name are read', async (target) => {
  for (const seed of target.seeds) await target.run(Uint8Array.from(seed));
});

describe('the harness', () => {
  const target = (run: Target['run']): Target => ({ ...TARGETS[0], run });
  const failure = (run: Target['run']) => failureOf(target(run), Uint8Array.of(1));

  it('tells named errors from others', async () => {
    expect(await failure(() => Promise.reject(new ModelFileError('x')))).toBeUndefined();
    expect(await failure(() => Promise.reject(new TypeError('x')))).toMatchObject({ kind: 'unnamed error' });
    const kept: Uint8Array[] = [];
    expect(await failure(() => void kept.push(new Uint8Array(300 << 20)))).toMatchObject({ kind: 'memory' });
  });

  it('makes the same inputs of the same seed, and others of another', () => {
    for (const { mutate, seeds } of TARGETS) {
      const inputs = (seed: number) =>
        Array.from({ length: 20 }, (_, i) => Buffer.from(mutate(seeds, randomOf(seed + i))));
      expect(inputs(1)).toEqual(inputs(1));
      expect(inputs(1)).not.toEqual(inputs(100));
    }
  });
});
