// Command lines of the benchmarks.
import { parseArgs } from 'node:util';
import type { ProfileName } from '../src/api/types';
import { PROFILES } from '../src/gpu/profile';
import { ARCHITECTURES } from './architectures';
import { CASES, type Case, TIERS, type TierName } from './cases';
import { UsageError } from './usage-error';

export const USAGE = `npm run bench -- [--adapter lavapipe|swiftshader|system] [options]        (or set ADAPTER)
  --model DIR[,DIR]   checkpoints to measure instead of public/models/nano and a generated one of ModernBERT-base's shape
  --models A,B        of nano, base
  --cases A,B         of ${CASES.map(({ name }) => name).join(', ')}
  --tiers A,B         of ${TIERS.map(({ name }) => name).join(', ')}; default: those of the first three that the device supports, for large
                      models only the ones with f16 weights
  --tokens N          most tokens per set; limits the number of documents and their length. Default 32768; on software
                      adapters 2048 for models below 64 MiB and with --bars, else 512
  --repeats N         timed runs per set, after one warm-up; the median counts. Default 5, on software adapters 3
  --queries N         timed runs per query; default 50, on software adapters 10
  --kernels           time, rate and memory traffic of every kernel
  --profile NAME      of card, minimal, software: the designs to use instead of those for the adapter
  --bars              measures everything that the bars (targets) need: implies --kernels, larger sets for the large
                      model, window attention by length
  --compare           BERT, RoBERTa, DeBERTaV3, NomicBERT and GTE beside ModernBERT of their size, with random f16 weights
  --only A,B          with --compare: of ${ARCHITECTURES.map(({ name }) => name).join(', ')}
  --layers N          with --compare: the first N layers of each model, and the speed at all layers worked out from these; default: all
                      on a card, 3 on software adapters
  --dawn A,B          Dawn toggles to enable, for example disable_robustness
  --json FILE         writes the results as they come, and with --kernels FILE-roofline.svg as well`;

/** Options of `npm run bench`. */
export interface Options {
  models: string[] | undefined;
  folders: string[] | undefined;
  cases: Case[];
  tiers: TierName[] | undefined;
  tokens: number | undefined;
  repeats: number | undefined;
  queryRepeats: number | undefined;
  kernels: boolean;
  profile: ProfileName | undefined;
  bars: boolean;
  compare: boolean;
  only: string[] | undefined;
  layers: number | undefined;
  toggles: string[];
  json: string | undefined;
  help: boolean;
}

/** Throws a UsageError for unknown options and invalid values. */
export function parseOptions(args: string[]): Options {
  const values = parseFlags(
    ['model', 'models', 'cases', 'tiers', 'tokens', 'repeats', 'queries', 'profile', 'dawn', 'json', 'only', 'layers'],
    ['kernels', 'bars', 'compare', 'help'],
    args,
  );
  if (values.model !== undefined && values.models !== undefined) {
    throw new UsageError('--model and --models are mutually exclusive.');
  }
  checkCompared(values);
  const names = CASES.map(({ name }) => name);
  const cases = choose('--cases', values.cases, names) ?? names;
  return {
    models: choose('--models', values.models, ['nano', 'base']),
    folders: list('--model', values.model),
    cases: CASES.filter(({ name }) => cases.includes(name)),
    tiers: choose(
      '--tiers',
      values.tiers,
      TIERS.map(({ name }) => name),
    ),
    tokens: count('--tokens', values.tokens),
    repeats: count('--repeats', values.repeats),
    queryRepeats: count('--queries', values.queries),
    kernels: values.kernels ?? false,
    profile: choose('--profile', values.profile, PROFILES)?.[0],
    bars: values.bars ?? false,
    compare: values.compare ?? false,
    only: choose(
      '--only',
      values.only,
      ARCHITECTURES.map(({ name }) => name),
    ),
    layers: count('--layers', values.layers),
    toggles: list('--dawn', values.dawn) ?? [],
    json: values.json,
    help: values.help ?? false,
  };
}

/** Options that --compare has alone, and those that it has not. */
function checkCompared(values: { [name: string]: unknown }): void {
  const given = (names: string[]) => names.find((name) => values[name] !== undefined);
  const other = given(values.compare ? ['model', 'models', 'queries', 'kernels', 'bars'] : ['only', 'layers']);
  if (other) throw new UsageError(`--${other} ${values.compare ? 'does not go with' : 'needs'} --compare.`);
  if (values.compare && String(values.tiers ?? '').includes(','))
    throw new UsageError('--compare takes one of --tiers.');
}

/** Options with a value, and flags without one. Throws a UsageError for any others. */
export function parseFlags<T extends string, F extends string>(
  texts: T[],
  flags: F[],
  args = process.argv.slice(2),
): { [name in T]?: string } & { [name in F]?: boolean } {
  const types = [...texts.map((name) => [name, 'string'] as const), ...flags.map((name) => [name, 'boolean'] as const)];
  const options = Object.fromEntries(types.map(([name, type]) => [name, { type }]));
  try {
    return parseArgs({ args, options }).values as ReturnType<typeof parseFlags<T, F>>;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** Runs a program and exits: status 0, 2 for a UsageError (which `usage` follows), 1 for any other error. */
export function runCommand(main: () => Promise<void>, usage = ''): void {
  main().then(
    () => process.exit(0), // Dawn's threads would keep the process alive.
    (error: unknown) => {
      const isUsage = error instanceof UsageError;
      console.error(isUsage ? `${error.message}\n\n${usage}`.trim() : error);
      process.exit(isUsage ? 2 : 1);
    },
  );
}

export function list(flag: string, text: string | undefined): string[] | undefined {
  if (text === undefined) return undefined;
  const items = text.split(',').map((item) => item.trim());
  if (items.includes(''))
    throw new UsageError(`${flag} '${text}' has an empty entry; separate entries with single commas.`);
  return items;
}

export function choose<T extends string>(flag: string, text: string | undefined, known: T[]): T[] | undefined {
  return list(flag, text)?.map((item) => {
    const found = known.find((name) => name === item);
    if (!found) throw new UsageError(`${flag}: unknown '${item}'; expected ${known.join(', ')}.`);
    return found;
  });
}

export function count(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new UsageError(`${flag} must be a positive integer, got '${text}'.`);
  return value;
}
