// How sure the demo's tab Sort files is, and how often right: node tools/run.mjs training/eval/sort.ts PACKAGES FOLDER [DTYPE]
// From the names of classes alone, and after corrections of the files that the tab asks for first. PACKAGES is what apt-cache says of
// debian-names.json: apt-cache show --no-all-versions $(node -p "require('./training/eval/sets/debian-names.json').join(' ')") > PACKAGES
import { embedDocuments, embedNames } from '../../demo/sort/embed';
import { ENOUGH, learn } from '../../demo/sort/learn';
import { lacking, leastSureFirst } from '../../demo/sort/ranking';
import { guess } from '../../demo/sort/seeds';
import type { Dtype } from '../../src/api/types';
import { loadModel } from '../../src/node';
import { type LabelledSet, labelledSets } from './sort-sets';

interface Embedded extends LabelledSet {
  vectors: Float32Array[];
  names: Float32Array[];
}

/** A guess of a text without a label. */
interface Guess {
  sure: number;
  isRight: boolean;
  /** -ln of the share of the right class. */
  nats: number;
}

const CORRECTIONS = [0, 1, 3, 10, 30];
const TEMPERATURES = [0.05, 0.08, 0.1, 0.12, 0.15, 0.18, 0.2, 0.25, 0.3];
const BINS = 10;
const BATCH = 16;
const { signal } = new AbortController();

const mean = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0) / numbers.length;
const percent = (share: number) => `${Math.round(100 * share)}%`;
const row = (cells: (string | number)[]) => console.log(`| ${cells.join(' | ')} |`);

const guessOf = (shares: number[], target: number): Guess => {
  const sure = Math.max(...shares);
  return { sure, isRight: shares.indexOf(sure) === target, nats: -Math.log(Math.max(1e-9, shares[target])) };
};

/** The expected calibration error: how far the share that is right is from how sure guesses are, over bins of sureness. */
function calibrationError(guesses: Guess[]): number {
  const binOf = ({ sure }: Guess) => Math.min(BINS - 1, Math.floor(sure * BINS));
  const gaps = Array.from({ length: BINS }, (_, bin) => {
    const own = guesses.filter((one) => binOf(one) === bin);
    return Math.abs(own.reduce((sum, { sure, isRight }) => sum + sure - Number(isRight), 0));
  });
  return gaps.reduce((a, b) => a + b, 0) / guesses.length;
}

/** What the tab says of the texts without a label after each number of corrections, for which it always asks of the first of its list. */
async function corrected(set: Embedded, info: Parameters<typeof learn>[1]): Promise<Guess[][]> {
  const documents = set.texts.map((text, i) => ({ hash: String(i), names: [], text: `${i}: ${text}` }));
  const vectors = new Map(set.vectors.map((vector, i) => [String(i), vector]));
  const labels = new Map<string, string>();
  const found: Guess[][] = [];
  for (const corrections of CORRECTIONS) {
    for (;;) {
      const known = { documents, classes: set.classes, labels, vectors, names: set.names, space: 'test' };
      const { scores } = await learn(known, info);
      const wanted = new Set(lacking(set.classes, labels.values(), ENOUGH).map(({ label }) => label));
      const [first] = leastSureFirst(documents, labels, scores, wanted);
      const open = documents.filter(({ hash }) => !labels.has(hash));
      if (labels.size === corrections || open.length < 2) {
        const sharesOf = (hash: string) =>
          set.classes.map((name) => scores.get(hash)?.find(({ label }) => label === name)?.score ?? 0);
        found.push(open.map(({ hash }) => guessOf(sharesOf(hash), set.labels[Number(hash)])));
        break;
      }
      labels.set(first.hash, set.classes[set.labels[Number(first.hash)]]);
    }
  }
  return found;
}

/** The set with `count` of its classes from one on, cyclically, and at most `most` texts of each. */
function part(set: Embedded, from: number, count: number, most: number): Embedded {
  const kept = Array.from({ length: count }, (_, k) => (from + k) % set.classes.length);
  const indices = kept.flatMap((c) => {
    const own = [...set.labels.keys()].filter((i) => set.labels[i] === c);
    const step = Math.max(1, own.length / most);
    return Array.from({ length: Math.min(most, own.length) }, (_, k) => own[Math.floor(k * step)]);
  });
  return {
    name: set.name,
    classes: kept.map((c) => set.classes[c]),
    names: kept.map((c) => set.names[c]),
    texts: indices.map((i) => set.texts[i]),
    labels: indices.map((i) => kept.indexOf(set.labels[i])),
    vectors: indices.map((i) => set.vectors[i]),
  };
}

/** From names alone, at a temperature. */
const atTemperature = ({ vectors, names, labels }: Embedded, temperature?: number): Guess[] => {
  const none = labels.map(() => undefined);
  return guess(vectors, names, none, temperature).map((shares, i) => guessOf(shares, labels[i]));
};

const [packages, folder, dtype] = process.argv.slice(2);
const model = await loadModel(folder, { dtype: dtype as Dtype | undefined });
const sets: Embedded[] = [];
for (const set of labelledSets(packages)) {
  const vectors: Float32Array[] = [];
  for (let at = 0; at < set.texts.length; at += BATCH) {
    vectors.push(...(await embedDocuments(model, set.texts.slice(at, at + BATCH), signal)));
  }
  sets.push({ ...set, vectors, names: (await embedNames(model, set.classes, signal)).vectors });
  console.error(`${set.name}: ${set.texts.length} texts`);
}
await model.dispose();

const HEAD = ['right', 'sure', 'calibration error', 'nats', 'right of those over 90% sure'];
function cellsOf(guesses: Guess[]): string[] {
  const right = (some: Guess[]) => percent(mean(some.map(({ isRight }) => Number(isRight))));
  const surest = guesses.filter(({ sure }) => sure > 0.9);
  const numbers = [calibrationError(guesses).toFixed(3), mean(guesses.map(({ nats }) => nats)).toFixed(2)];
  return [
    right(guesses),
    percent(mean(guesses.map(({ sure }) => sure))),
    ...numbers,
    `${right(surest)} of ${surest.length}`,
  ];
}

const after: Guess[][][] = [];
for (const set of sets) after.push(await corrected(set, model.info));
row(['corrections', ...HEAD]);
row(['---:', ...HEAD.map(() => '---:')]);
for (const [n, corrections] of CORRECTIONS.entries()) row([corrections, ...cellsOf(after.flatMap((one) => one[n]))]);

console.log('\nFrom names alone, for fewer classes and files: from each class on the next ones.\n');
row(['classes', 'files of each', ...HEAD]);
row(['---:', '---:', ...HEAD.map(() => '---:')]);
for (const [count, most] of [
  [2, 20],
  [3, 20],
  [2, 4],
  [3, 4],
]) {
  const parts = sets.flatMap((set) => set.classes.map((_, from) => part(set, from, count, most)));
  row([count, most, ...cellsOf(parts.flatMap((one) => atTemperature(one)))]);
}

console.log(
  '\nEach set: right and sure from names alone, and after 10 corrections; the temperature that fits the other sets best',
);
console.log('from names alone, and the calibration error of this set by it.\n');
row(['set', 'classes', 'texts', 'names: right', 'sure', '10: right', 'sure', 'temperature', 'calibration error']);
row(['---', '---:', '---:', '---:', '---:', '---:', '---:', '---:', '---:']);
const heldOut: Guess[] = [];
for (const [i, set] of sets.entries()) {
  const cells = [0, CORRECTIONS.indexOf(10)].flatMap((n) => [
    percent(mean(after[i][n].map(({ isRight }) => Number(isRight)))),
    percent(mean(after[i][n].map(({ sure }) => sure))),
  ]);
  const others = sets.filter((other) => other !== set);
  const cost = (temperature: number) =>
    mean(others.map((other) => mean(atTemperature(other, temperature).map(({ nats }) => nats))));
  const costs = TEMPERATURES.map(cost);
  const best = TEMPERATURES[costs.indexOf(Math.min(...costs))];
  const own = atTemperature(set, best);
  heldOut.push(...own);
  row([set.name, set.classes.length, set.texts.length, ...cells, best, calibrationError(own).toFixed(3)]);
}
console.log(`\nAll sets, each by the temperature that fits the others: ${calibrationError(heldOut).toFixed(3)}.`);
process.exit(0);
