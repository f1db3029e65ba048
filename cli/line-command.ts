/** Commands that run JSON lines through a model: streamed, in order, resumable. */
import type { Command, Invocation, Option, Values } from './command';
import { openInput, textField } from './input';
import { type LineJob, runLines } from './line-job';
import { MODEL_OPTIONS, modelLoader } from './model';
import { openOutput } from './output';
import { withProgress } from './progress';

const DEFAULT_BATCH = 32;

const LINE_OPTIONS: Record<string, Option> = {
  input: { value: 'FILE', help: 'JSON lines to read; - is stdin (-)' },
  output: { value: 'FILE', help: 'JSON lines to write; - is stdout (-)' },
  resume: { help: 'continue where the output file ends' },
  overwrite: { help: 'replace an existing output file' },
  keep: { value: 'A,B', help: 'input fields to copy to the output (id)' },
  batch: { value: 'N', help: `lines per call of the model (${DEFAULT_BATCH})` },
  truncate: { help: "cut texts above the model's limit instead of stopping at them" },
};

export interface LineCommand<T> {
  summary: string;
  /** Fields read and written. */
  details: string;
  options: Record<string, Option>;
  /** Checks the command's own options. */
  job(values: Values): LineJob<T>;
}

export function lineCommand<T>({ summary, details, options, job }: LineCommand<T>): Command {
  return {
    summary,
    args: ['MODEL'],
    details: `${DETAILS}\n\n${details}`,
    options: { ...options, ...LINE_OPTIONS, ...MODEL_OPTIONS },
    run: (invocation) => runCommand(job(invocation.values), invocation),
  };
}

const DETAILS = `MODEL is a folder (./name), a URL, or a model on the Hugging Face Hub (org/name). Output lines are in input order and
written batch by batch; \`line\` is the number of the input line. An invalid line stops the job: the lines before it are
written, and --resume continues from there.`;

export const TEXT_FIELD: Option = { value: 'NAME', help: 'field that holds the text (text)' };

export interface TextCommand extends Omit<LineCommand<string>, 'job'> {
  job(values: Values): LineJob<string>['run'];
}

/** A command that reads one text per line. */
export function textCommand({ options, job, ...rest }: TextCommand): Command {
  return lineCommand<string>({
    ...rest,
    options: { 'text-field': TEXT_FIELD, ...options },
    job(values) {
      const field = values.text('text-field') ?? 'text';
      return { read: (row) => textField(row, field), run: job(values) };
    },
  });
}

async function runCommand<T>(job: LineJob<T>, { args: [source], values, signal }: Invocation): Promise<void> {
  const options = {
    load: modelLoader(source, values),
    batch: values.count('batch') ?? DEFAULT_BATCH,
    keep: values.list('keep') ?? ['id'],
    truncate: values.flag('truncate'),
  };
  const input = openInput(values.text('input') ?? '-', signal);
  const output = await openOutput(values.text('output') ?? '-', {
    resume: values.flag('resume'),
    overwrite: values.flag('overwrite'),
  });
  try {
    await withProgress(input.name, (progress) => runLines(job, { ...options, input, output, signal, progress }));
  } finally {
    await output.close();
  }
}
