/** Commands that read JSON lines, ask the model and write JSON lines: streamed, in order, resumable. */
import type { Command, Invocation, Option, Values } from './command';
import { openInput } from './input';
import { type LineJob, runLines } from './line-job';
import { MODEL_OPTIONS, modelLoader } from './model';
import { openOutput } from './output';
import { createProgress } from './progress';

const LINE_OPTIONS: Record<string, Option> = {
  input: { value: 'FILE', help: 'lines of JSON to read; - is stdin (-)' },
  output: { value: 'FILE', help: 'lines of JSON to write; - is stdout (-)' },
  resume: { help: 'go on where the output ends' },
  overwrite: { help: 'replace an output that is there' },
  keep: { value: 'A,B', help: 'fields of the input to copy into the output (id)' },
  batch: { value: 'N', help: 'lines that the model gets at a time (32)' },
  truncate: { help: "cut texts above the model's limit; without it such a line stops the job" },
};

export interface LineCommand<T> {
  summary: string;
  /** Fields that are read and written. */
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

const DETAILS = `MODEL is a folder (./name), a URL, or a model on the Hugging Face Hub (org/name). Output lines have the number of their input
line as \`line\`, are in the order of the input, and are written batch by batch. A line that cannot be used stops the job:
what was written stays, and --resume goes on from there.`;

const DEFAULT_BATCH = 32;

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
    await runLines(job, { ...options, input, output, signal, progress: createProgress(input.name) });
  } finally {
    await output.close();
  }
}
