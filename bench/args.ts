import { parseArgs } from 'node:util';
import { CASES, type Case } from './cases';
import { TIERS, type TierName } from './tiers';
import { UsageError } from './usage-error';

export const USAGE = `npm run bench -- [options]        (which adapter: npm run bench -- --adapter lavapipe|swiftshader|system, or ADAPTER)
  --model DIR[,DIR]   checkpoints instead of public/models/nano and a generated one of ModernBERT-base's shape
  --models nano,base  which of those two
  --cases A,B         of ${CASES.map(({ name }) => name).join(', ')}
  --tiers A,B         of ${TIERS.map(({ name }) => name).join(', ')}; by default the first three, for large models those with f16
                      weights, as far as the device has them
  --tokens N          most tokens of a set: there are fewer documents, and no longer ones; by default 32768, on software
                      adapters 2048 for models below 64 MiB and for --bars, and 512 for others
  --repeats N         timed runs of a set, whose median is taken, after one that warms up; by default 5, on software adapters 3
  --queries N         timed runs of a query; by default 50, on software adapters 10
  --profile           times, rates and traffic of every kernel
  --bars              everything that the bars need: --profile, larger sets of the large model, window attention by length
  --dawn A,B          toggles of Dawn to switch on, such as disable_robustness
  --json FILE         writes the results, and with --profile FILE-roofline.svg beside them`;

/** What the command line asks for. */
export interface Options {
  models: string[] | undefined;
  folders: string[] | undefined;
  cases: Case[];
  tiers: TierName[] | undefined;
  tokens: number | undefined;
  repeats: number | undefined;
  queryRepeats: number | undefined;
  profile: boolean;
  bars: boolean;
  toggles: string[];
  json: string | undefined;
  help: boolean;
}

/** Throws a UsageError for anything that is not as USAGE says. */
export function parseOptions(args: string[]): Options {
  const { values } = parse(args);
  if (values.model !== undefined && values.models !== undefined) {
    throw new UsageError('--model and --models exclude each other.');
  }
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
    profile: values.profile ?? false,
    bars: values.bars ?? false,
    toggles: list('--dawn', values.dawn) ?? [],
    json: values.json,
    help: values.help ?? false,
  };
}

function parse(args: string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  try {
    return parseArgs({
      args,
      options: {
        model: text,
        models: text,
        cases: text,
        tiers: text,
        tokens: text,
        repeats: text,
        queries: text,
        profile: flag,
        bars: flag,
        dawn: text,
        json: text,
        help: flag,
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

export function list(flag: string, text: string | undefined): string[] | undefined {
  if (text === undefined) return undefined;
  const items = text.split(',').map((item) => item.trim());
  if (items.includes('')) throw new UsageError(`${flag} '${text}' has an empty entry; separate entries by one comma.`);
  return items;
}

export function choose<T extends string>(flag: string, text: string | undefined, known: T[]): T[] | undefined {
  return list(flag, text)?.map((item) => {
    const found = known.find((name) => name === item);
    if (!found) throw new UsageError(`${flag}: there is no '${item}'; known are ${known.join(', ')}.`);
    return found;
  });
}

export function count(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new UsageError(`${flag} must be a positive integer, it is '${text}'.`);
  return value;
}
