// Evaluates a model through the library: node tools/run.mjs training/eval/main.ts FOLDER [--out FILE.json]
// A masked language model predicts masked tokens and facts. Takes a few minutes on a CPU. Embedding models: training/evaluate.py.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Dtype, Model } from '../../src/api/types';
import { loadModel } from '../../src/node';
import { cloze, maskedGuesses, score, sequences } from './measure';

const DTYPES: Dtype[] = ['f32', 'f16', 'q8', 'q4'];
const MASKED = [15, 30];
/** Most tokens per domain, and per sequence. */
const [TOKENS, LENGTH] = [2048, 256];
const DTYPE_TOKENS = 256;
const LONGEST = 8192;
const POSITIONS = [0, 512, 1024, 2048, 4096, LONGEST];
const LONG_DOMAINS = ['fiction', 'speeches'];

const read = (name: string) => JSON.parse(readFileSync(join('training/eval', name), 'utf8'));
const texts: Record<string, string[]> = read('held-out.json').texts;

const groupBy = async <T, R>(keys: T[], measure: (key: T) => R | Promise<R>): Promise<Record<string, R>> => {
  const entries: [string, R][] = [];
  for (const key of keys) entries.push([String(key), await measure(key)]);
  return Object.fromEntries(entries);
};

async function maskedTokens(model: Model, percent: number) {
  const all: Parameters<typeof score>[0] = [];
  const domains = await groupBy(Object.keys(texts), async (domain) => {
    const parts = await sequences(model, texts[domain], LENGTH, TOKENS);
    const { guesses } = await maskedGuesses(model, parts, percent);
    all.push(...guesses);
    return score(guesses);
  });
  return { all: score(all), ...domains };
}

/** Scores by position in the longest sequences, each the concatenated documents of one domain. */
async function byPosition(model: Model) {
  const at = await Promise.all(
    LONG_DOMAINS.map(async (domain) => {
      const [part] = await sequences(model, [texts[domain].join('\n\n')], LONGEST, LONGEST);
      return maskedGuesses(model, [part], MASKED[0]);
    }),
  );
  return groupBy(POSITIONS.slice(1), (end) => {
    const start = POSITIONS[POSITIONS.indexOf(end) - 1];
    return score(
      at.flatMap(({ guesses, positions }) => guesses.filter((_, i) => positions[i] >= start && positions[i] < end)),
    );
  });
}

async function ofDtype(folder: string, dtype: Dtype) {
  const model = await loadModel(folder, { dtype });
  const parts = (
    await Promise.all(Object.values(texts).map((domain) => sequences(model, domain, LENGTH, DTYPE_TOKENS)))
  ).flat();
  const { guesses } = await maskedGuesses(model, parts, MASKED[0]);
  await model.dispose();
  return score(guesses);
}

async function evaluate(folder: string) {
  const model = await loadModel(folder, { dtype: 'f32', arithmetic: 'f32' });
  if (model.info.task !== 'mlm')
    throw new TypeError(`Expected a masked language model; ${folder} is for ${model.info.task}.`);
  const found: Record<string, unknown> = { adapter: model.info.adapter.description };
  found.masked = await groupBy(MASKED, (percent) => maskedTokens(model, percent));
  found.cloze = await cloze(model, read('cloze.json'));
  found.positions = await byPosition(model);
  await model.dispose();
  found.dtypes = await groupBy(DTYPES, (dtype) => ofDtype(folder, dtype));
  return found;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ options: { out: { type: 'string' } }, allowPositionals: true });
  if (positionals.length !== 1) throw new RangeError('Expected exactly one argument: the folder of a model.');
  const rounded = (_: string, value: unknown) =>
    typeof value === 'number' && !Number.isInteger(value) ? Number(value.toFixed(4)) : value;
  const report = `${JSON.stringify(await evaluate(positionals[0]), rounded, 1)}\n`;
  if (values.out) writeFileSync(values.out, report);
  console.log(report);
}

main().then(
  () => process.exit(0), // Dawn's threads would keep the process alive.
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
