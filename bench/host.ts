// npm run bench:host: the JavaScript of a pass, on Dawn's null backend, which computes nothing. USAGE below.
import { create } from 'webgpu';
import { loadRuntime } from '../src/session/load-runtime';
import { folderFiles } from '../src/sources/folder';
import { count, list, parseFlags, runCommand } from './args';
import { sequencesOf } from './cases';
import { benchModels } from './models';
import { embeddings } from './passes';
import { columns } from './print';
import { quantile } from './statistics';

const USAGE = `npm run bench:host -- [--tokens 16,128,512] [--passes N] [--rounds N] [--model DIR]
  --tokens A,B   lengths of the one sequence of a pass
  --passes N     timed passes per length and round; default 200
  --rounds N     default 4, after one to warm up; the lengths alternate
  --model DIR    a checkpoint instead of a generated one of ModernBERT-base's shape

For each length the median and, in brackets, the tenth percentile, in milliseconds:
  first    from token ids until the GPU has work
  encode   from token ids until it has all of the pass
  bare     the pass's WebGPU calls alone, made again with the same arguments, each time after a pass
  answer   from the last submit to the embedding in JavaScript; the GPU takes no time here
  done     worked out: when a GPU that takes 10 µs per dispatch would be done (an H100 with 16 tokens)
  own      encode without bare: the library's JavaScript`;

const DISPATCH_MS = 0.01;

/** On one of the four objects that a pass calls, two of which each pass makes. */
interface Call {
  on: 'device' | 'queue' | 'commands' | 'pass';
  name: string;
  args: unknown[];
}

type Methods = Record<string, (...args: unknown[]) => unknown>;

const CALLED = {
  device: ['pushErrorScope', 'popErrorScope', 'createCommandEncoder'],
  queue: ['writeBuffer', 'submit'],
  commands: ['beginComputePass', 'copyBufferToBuffer', 'finish'],
  pass: ['setPipeline', 'setBindGroup', 'dispatchWorkgroups', 'end'],
};

/** The calls that `work` makes on a device, but for mapping. */
async function callsOf(device: GPUDevice, work: () => Promise<unknown>): Promise<Call[]> {
  const calls: Call[] = [];
  const watch = (on: Call['on'], target: object) => {
    const methods = target as Methods;
    for (const name of CALLED[on]) {
      const method = methods[name];
      methods[name] = (...args) => {
        calls.push({ on, name, args });
        const made = method.apply(target, args);
        if (name === 'createCommandEncoder') watch('commands', made as object);
        if (name === 'beginComputePass') watch('pass', made as object);
        return made;
      };
    }
  };
  watch('device', device);
  watch('queue', device.queue);
  await work();
  // Below are the methods of their classes.
  for (const name of CALLED.device) delete (device as unknown as Methods)[name];
  for (const name of CALLED.queue) delete (device.queue as unknown as Methods)[name];
  return calls;
}

/** Makes these calls, and returns the milliseconds that it takes. */
function repeat(device: GPUDevice, calls: Call[]): number {
  const objects = { device, queue: device.queue } as unknown as Record<Call['on'], Methods>;
  const start = performance.now();
  for (const { on, name, args } of calls) {
    if (name === 'submit') {
      objects.queue.submit([objects.commands.finished]);
      continue;
    }
    const made = objects[on][name](...args);
    if (name === 'createCommandEncoder') objects.commands = made as Methods;
    if (name === 'beginComputePass') objects.pass = made as Methods;
    if (name === 'finish') objects.commands = { finished: made } as Methods;
  }
  return performance.now() - start;
}

/** When the queue got work since the last call of this, as performance.now() says. */
function watchSubmits({ queue }: GPUDevice): () => number[] {
  const times: number[] = [];
  const submit = queue.submit;
  queue.submit = (commands) => {
    submit.call(queue, commands);
    times.push(performance.now());
    return undefined;
  };
  return () => times.splice(0);
}

/** The dispatches of each submit. */
function partsOf(calls: Call[]): number[] {
  const parts = [0];
  for (const { name } of calls) {
    if (name === 'dispatchWorkgroups') parts[parts.length - 1]++;
    if (name === 'submit') parts.push(0);
  }
  return parts.slice(0, -1);
}

const TIMED = ['first', 'encode', 'bare', 'answer', 'done'] as const;

/** One length: its pass, the pass's calls, and what was measured of it. */
interface Measured {
  tokens: number;
  pass(): Promise<unknown>;
  calls: Call[];
  times: Record<(typeof TIMED)[number], number[]>;
}

async function main(): Promise<void> {
  const values = parseFlags(['tokens', 'passes', 'rounds', 'model'], ['help']);
  if (values.help) return console.log(USAGE);
  const lengths = list('--tokens', values.tokens ?? '16,128,512')!.map((length) => count('--tokens', length)!);
  const passes = count('--passes', values.passes) ?? 200;
  const rounds = count('--rounds', values.rounds) ?? 4;
  const [{ name, source }] = benchModels(['base'], list('--model', values.model));
  const { runtime, config } = await loadRuntime(source, {
    gpu: create(['backend=null']),
    folder: folderFiles,
    dtype: 'f16',
    arithmetic: 'f32',
    autotune: false,
    selfCheck: false,
  });
  const { device } = runtime.gpu;
  const measured: Measured[] = [];
  for (const ids of sequencesOf(lengths, config.vocab_size)) {
    const pass = () => runtime.run([ids], [embeddings(1)]);
    await pass();
    const times = { first: [], encode: [], bare: [], answer: [], done: [] };
    measured.push({ tokens: ids.length, pass, calls: await callsOf(device, pass), times });
  }
  const submits = watchSubmits(device);
  for (let round = 0; round <= rounds; round++) {
    for (const { calls, pass, times } of measured) {
      const parts = partsOf(calls);
      for (let i = 0; i < passes; i++) {
        const start = performance.now();
        await pass();
        const end = performance.now();
        const at = submits();
        const bare = repeat(device, calls);
        submits();
        await device.queue.onSubmittedWorkDone();
        if (round === 0) continue; // warm-up
        const last = at[at.length - 1];
        const done = parts.reduce((free, part, p) => Math.max(free, at[p] - start) + part * DISPATCH_MS, 0);
        const now = { first: at[0] - start, encode: last - start, bare, answer: end - last, done };
        for (const part of TIMED) times[part].push(now[part]);
      }
    }
  }
  console.log(columns([['pass', 'calls', ...TIMED, 'own'], ...measured.map((one) => row(name, one))], 1));
}

/** Cells of the table: a median, and in brackets the time that a tenth of the passes were below. */
function row(name: string, { tokens, calls, times }: Measured): string[] {
  const cell = (of: (share: number) => number) => `${of(0.5).toFixed(3)} (${of(0.1).toFixed(3)})`;
  return [
    `${name} ${tokens}`,
    String(calls.length),
    ...TIMED.map((part) => cell((share) => quantile(times[part], share))),
    cell((share) => quantile(times.encode, share) - quantile(times.bare, share)),
  ];
}

runCommand(main, USAGE);
