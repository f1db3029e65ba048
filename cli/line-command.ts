/** Commands that run JSON lines through a model: streamed, in order, resumable. */
import { type Command, type Invocation, type Option, UsageError, type Values } from './command';
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
  overwrite: { help: 'replace an existing output file, once the new one is whole' },
  keep: { value: 'A,B', help: 'input fields to copy to the output, as they are written (id)' },
  batch: { value: 'N', help: `lines per call of the model (${DEFAULT_BATCH})` },
  truncate: { help: "cut texts above the model's limit instead of skipping them" },
  strict: { help: 'stop at the first invalid line instead of skipping it' },
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
written batch by batch; \`line\` is the number of the input line. An invalid line (not JSON, no such field, an empty text,
one above the model's limit) is skipped: its output line has "error" in place of a result, and a summary names it at the
end. With --strict it stops the job. After any stop the lines before are written, and --resume continues from there. With
--overwrite the old file stays until the new one is whole, which is in FILE.part until then.`;

export const TEXT_FIELD: Option = { value: 'NAME', help: 'field that holds the text (text)' };

export interface TextCommand extends Omit<LineCommand<string>, 'job'> {
  job(values: Values): Omit<LineJob<string>, 'read' | 'sample'> & Partial<Pick<LineJob<string>, 'sample'>>;
}

/** A command that reads one text per line. */
export function textCommand({ options, job, ...rest }: TextCommand): Command {
  return lineCommand<string>({
    ...rest,
    options: { 'text-field': TEXT_FIELD, ...options },
    job(values) {
      const field = values.text('text-field') ?? 'text';
      return { read: (row) => textField(row, field), sample: () => 'a', ...job(values) };
    },
  });
}

async function runCommand<T>(job: LineJob<T>, { args: [source], values, signal }: Invocation): Promise<void> {
  const options = {
    load: modelLoader(source, values),
    batch: values.count('batch') ?? DEFAULT_BATCH,
    keep: keptFields(values, job),
    truncate: values.flag('truncate'),
    strict: values.flag('strict'),
    warn: (text: string) => console.error(text),
  };
  const input = openInput(values.text('input') ?? '-', signal);
  const output = await openOutput(values.text('output') ?? '-', {
    resume: values.flag('resume'),
    overwrite: values.flag('overwrite'),
    input: input.id,
  });
  try {
    await withProgress(input.name, (progress) => runLines(job, { ...options, input, output, signal, progress }));
    await output.finish();
  } finally {
    const left = await output.close();
    if (left) options.warn(left);
  }
}

/** Throws a UsageError for the names of the output's own fields. */
function keptFields(values: Values, { writes }: Pick<LineJob<never>, 'writes'>): string[] {
  const keep = [...new Set(values.list('keep') ?? ['id'])];
  const own = keep.find((name) => ['line', 'error', ...writes].includes(name));
  if (own === undefined) return keep;
  const meaning = own === 'line' ? ', the number of the input line' : '';
  throw new UsageError(
    `--keep ${own}: the output has a field of that name itself${meaning}. Keep another one, such as id, or rename it in the input.`,
  );
}
