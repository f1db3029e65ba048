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
  --rounds N     default 5, of which the first is not counted; the lengths alternate
  --model DIR    a checkpoint instead of a generated one of ModernBERT-base's shape

For each length the median and the fastest tenth, in milliseconds:
  first    from token ids until the GPU has work
  encode   from token ids until it has all of the pass
  bare     the pass's WebGPU calls alone, made again with the same arguments, each time after a pass
  own      encode without bare: the library's JavaScript
  answer   from the last submit to the embedding in JavaScript. The GPU takes no time here`;

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

type Times = Record<'first' | 'encode' | 'bare' | 'own' | 'answer', number[]>;

async function main(): Promise<void> {
  const values = parseFlags(['tokens', 'passes', 'rounds', 'model'], ['help']);
  if (values.help) return console.log(USAGE);
  const lengths = list('--tokens', values.tokens ?? '16,128,512')!.map((length) => count('--tokens', length)!);
  const passes = count('--passes', values.passes) ?? 200;
  const rounds = count('--rounds', values.rounds) ?? 5;
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
  const measured = [];
  for (const ids of sequencesOf(lengths, config.vocab_size)) {
    const pass = () => runtime.run([ids], [embeddings(1)]);
    await pass();
    const calls = await callsOf(device, pass);
    measured.push({ ids, calls, pass, times: { first: [], encode: [], bare: [], own: [], answer: [] } as Times });
  }
  const submits = watchSubmits(device);
  for (let round = 0; round < rounds; round++) {
    for (const { calls, pass, times } of measured) {
      for (let i = 0; i < passes; i++) {
        const start = performance.now();
        await pass();
        const end = performance.now();
        const at = submits();
        const bare = repeat(device, calls);
        submits();
        await device.queue.onSubmittedWorkDone();
        if (round === 0) continue;
        const encode = at.at(-1)! - start;
        const now = { first: at[0] - start, encode, bare, own: encode - bare, answer: end - at.at(-1)! };
        for (const part of Object.keys(now) as (keyof Times)[]) times[part].push(now[part]);
      }
    }
  }
  const parts = ['first', 'encode', 'bare', 'own', 'answer'] as const;
  const cell = (times: number[]) => `${quantile(times, 0.5).toFixed(3)} (${quantile(times, 0.1).toFixed(3)})`;
  const rows = measured.map(({ ids, calls, times }) => [
    `${name} ${ids.length}`,
    String(calls.length),
    ...parts.map((part) => cell(times[part])),
  ]);
  console.log(columns([['pass', 'calls', ...parts], ...rows], 1));
}

runCommand(main, USAGE);
