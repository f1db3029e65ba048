/** What a command is, how its arguments are parsed, and its help. */
import { parseArgs } from 'node:util';

/** A mistake on the command line: exit code 2. */
export class UsageError extends Error {
  override name = 'UsageError';
}

export interface Option {
  /** Placeholder of the value in the help; without it, the option is a flag. */
  value?: string;
  help: string;
}

export interface Command {
  /** One line, for the list of commands. */
  summary: string;
  /** Names of the positional arguments, all required. */
  args: string[];
  /** Name of any number of further positional arguments. Default: none are allowed. */
  rest?: string;
  options: Record<string, Option>;
  /** Help beyond the options: fields read and written. */
  details: string;
  run(input: Invocation): Promise<void>;
}

export interface Invocation {
  args: string[];
  rest: string[];
  values: Values;
  /** Aborted by Ctrl-C. */
  signal: AbortSignal;
}

/** The options on the command line, undefined if absent. Each method throws a UsageError for an invalid value. */
export interface Values {
  flag(name: string): boolean;
  text(name: string): string | undefined;
  /** A positive integer. */
  count(name: string): number | undefined;
  choice<T extends string>(name: string, choices: readonly T[]): T | undefined;
  /** Comma-separated. */
  list(name: string): string[] | undefined;
}

/** Throws a UsageError for unknown options and for missing or surplus arguments. */
export function parse(command: Command, argv: string[]): Omit<Invocation, 'signal'> {
  const { values, positionals } = parsed(command, argv);
  if (positionals.length < command.args.length) {
    throw new UsageError(`Missing argument: ${command.args.slice(positionals.length).join(' ')}.`);
  }
  const [args, rest] = [positionals.slice(0, command.args.length), positionals.slice(command.args.length)];
  if (rest.length > 0 && !command.rest) throw new UsageError(`Unexpected argument: '${rest[0]}'.`);
  return { args, rest, values: valuesOf(values) };
}

function parsed({ options }: Command, args: string[]): { values: Record<string, unknown>; positionals: string[] } {
  const types = Object.entries(options).map(([name, { value }]) => [name, { type: value ? 'string' : 'boolean' }]);
  try {
    return parseArgs({ args, allowPositionals: true, options: Object.fromEntries(types) });
  } catch (error) {
    throw new UsageError(`${(error as Error).message.split(/\. |\.?$/)[0]}.`);
  }
}

function valuesOf(given: Record<string, unknown>): Values {
  const text = (name: string): string | undefined => {
    const value = given[name];
    if (value === '') throw new UsageError(`--${name} is empty.`);
    return typeof value === 'string' ? value : undefined;
  };
  return {
    flag: (name) => given[name] === true,
    text,
    count(name) {
      const value = text(name);
      if (value === undefined) return undefined;
      if (/^[1-9]\d*$/.test(value)) return Number(value);
      throw new UsageError(`--${name} must be a positive integer, but is '${value}'.`);
    },
    choice<T extends string>(name: string, choices: readonly T[]) {
      const value = text(name);
      if (value === undefined || choices.includes(value as T)) return value as T | undefined;
      throw new UsageError(`--${name} must be one of ${choices.join(', ')}, but is '${value}'.`);
    },
    list: (name) => text(name)?.split(','),
  };
}

/** The text of `--help`. */
export function helpOf(name: string, { summary, args, rest, options, details }: Command): string {
  const rows = Object.entries(options).map(([option, { value, help }]) => [
    `  --${option}${value ? ` ${value}` : ''}`,
    help,
  ]);
  const width = rows.reduce((most, [left]) => Math.max(most, left.length), 0) + 2;
  return [
    `modernbert-webgpu ${[name, ...args, ...(rest ? [`[${rest} …]`] : [])].join(' ')} [options]`,
    '',
    summary,
    '',
    details,
    '',
    ...rows.map(([left, help]) => left.padEnd(width) + help.replaceAll('\n', `\n${' '.repeat(width)}`)),
  ].join('\n');
}
