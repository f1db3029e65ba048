import { COPY_DST, type GpuMemory, MAP_READ } from '../gpu/buffers';
import { Submission } from '../gpu/submission';
import type { Compile, CompiledStep } from '../kernels/compile';
import { numbersAt, type Words, worstOf } from '../kernels/gemm-twin';
import type { Step } from '../kernels/step';
import type { Output, Probe } from './probe-parts';
import { probesOf } from './probes';

/** A step whose kernels are to be checked, and what compiled them. */
export interface Checkable {
  compiled: Pick<CompiledStep<never>, 'step' | 'variants' | 'plan'>;
  compile: Compile;
}

const BYTES = { f32: 4, f16: 2, int8: 1, u32: 4 };
const sizeOf = ({ type, rows, columns }: Output): number => rows * columns * BYTES[type];

/** Runs each kernel once on its probes, all in one submission. Returns those that are wrong, and how. */
export async function findWrong<T extends Checkable>(memory: GpuMemory, kernels: T[]): Promise<Map<T, string>> {
  const { gpu } = memory;
  const made: GPUBuffer[] = [];
  const alloc = (bytes: number, usage?: number) => {
    const buffer = memory.alloc('activations', 'self-check', bytes, usage);
    made.push(buffer);
    return buffer;
  };
  /** What probes share, they only read. */
  const uploaded = new Map<Words, GPUBuffer>();
  const upload = (data: Probe['buffers'][string]) => {
    if (data === undefined) return undefined;
    if (typeof data === 'number') return alloc(data);
    const known = uploaded.get(data);
    if (known) return known;
    const buffer = alloc(data.byteLength);
    gpu.device.queue.writeBuffer(buffer, 0, data);
    uploaded.set(data, buffer);
    return buffer;
  };
  try {
    const job = new Submission(gpu);
    const outputs: { output: Output; checked: T; from: GPUBuffer }[] = [];
    for (const checked of kernels) {
      for (const probe of probesOf(checked.compiled)) {
        const buffers = Object.fromEntries(Object.entries(probe.buffers).map(([name, data]) => [name, upload(data)]));
        const compiled = await checked.compile(stepOf(checked.compiled.step, probe, buffers));
        const { workgroups } = probe;
        job.dispatch({ ...compiled.dispatch(undefined, noSlots), workgroups });
        for (const output of probe.outputs) outputs.push({ output, checked, from: buffers[output.binding]! });
      }
    }
    const total = outputs.reduce((sum, { output }) => sum + sizeOf(output), 0);
    const readback = alloc(total, MAP_READ | COPY_DST);
    let at = 0;
    for (const { output, from } of outputs) {
      copyRows(job, output, from, readback, at);
      at += sizeOf(output);
    }
    const { buffer } = await job.read(readback, total);
    at = 0;
    const wrong = new Map<T, string>();
    for (const { output, checked } of outputs) {
      const { type, rows, columns } = output;
      const values = numbersAt(buffer, at, rows * columns, type);
      at += sizeOf(output);
      const worst = worstOf((judge) => output.compare((row, column) => values[row * columns + column], judge));
      const [difference, bound] = [worst.difference, worst.bound].map((x) => x.toPrecision(2));
      if (!worst.isRight) wrong.set(checked, `wrong by ${difference} where rounding explains ${bound}`);
    }
    return wrong;
  } finally {
    for (const buffer of made) memory.free(buffer);
  }
}

/** The same kernel on a probe's buffers: the compiler has it already. */
function stepOf({ label, ...step }: Step<never>, probe: Probe, buffers: Step<void>['buffers']): Step<void> {
  if ('gemm' in step) return { label, gemm: step.gemm, buffers, rows: () => probe.rows! };
  if ('attention' in step) {
    const sizes = { tokens: probe.rows!, tiles: 0, pairs: 0, issuedPairs: 0 };
    return { label, attention: step.attention, buffers, sizesOf: () => sizes };
  }
  return { label, kernel: step.kernel, buffers, workgroups: () => probe.workgroups };
}

const noSlots = () => {
  throw new TypeError('A probe has buffers of its own.');
};

/** Copies the rows of an output one after the other. */
function copyRows(
  job: Submission,
  { type, rows, columns, stride, column }: Output,
  from: GPUBuffer,
  to: GPUBuffer,
  at: number,
): void {
  const bytes = BYTES[type];
  const runs = columns === stride ? 1 : rows; // rows that fill their stride are one run
  const length = (rows / runs) * columns * bytes;
  for (let r = 0; r < runs; r++) job.copy(from, (r * stride + column) * bytes, to, at + r * length, length);
}
