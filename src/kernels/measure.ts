/** Times the tiles of a GEMM on this device, piece by piece: code that only its first use needs. */
import { COPY_DST, COPY_SRC, MAP_READ, STORAGE } from '../gpu/buffers';
import type { Gpu } from '../gpu/device';
import { bind } from '../gpu/kernel';
import { Submission } from '../gpu/submission';
import { createTimestamps } from '../gpu/timestamps';
import { createGemm, type Gemm, gemmDispatch, tilesFor } from './gemm';
import { type GemmPlan, type GemmSpec, type GemmTile, M_MULTIPLE, outStrideOf } from './gemm-spec';
import { type GemmOperands, gemmOperands, gemmTwin, numbersAt, sample, type Words, worstOf } from './gemm-twin';
import { bytesOf, roundUp } from './storage';
import type { MeasureTools, Tuner } from './tune';

/** Measures what has no plan yet, one after the other, and stores the plans. What cannot be measured keeps its default. */
export async function measureMissing({ tuner: { missing, plans, store }, ...tools }: MeasureTools & { tuner: Tuner }) {
  for (const [key, measure] of missing) {
    const plan = await measure(tools).catch(() => undefined);
    if (!plan) continue;
    plans.set(key, Promise.resolve(plan));
    await store?.set(key, plan).catch(() => {});
  }
}

/** The numbers of rows to time, and up to how many rows each result applies. */
const CASES = [
  { rows: 16, upTo: 32 },
  { rows: 64, upTo: 128 },
  { rows: 256, upTo: 512 },
  { rows: 1024, upTo: 2048 },
  { rows: 8192, upTo: Infinity },
];
/** More than these are timed only if so many take the device no more than so long, and on repeated operands. */
const SOME_ROWS = 1024;
export const SLOW_MS = 5;
const ROUNDS = 3;
/** Only tiles that took at most so many times as long as the fastest in the first round are timed again. */
const WORTH_ANOTHER = 1.25;
/** A timing repeats a dispatch until it takes about this long: browsers round the GPU's clock to 0.07 or 0.1 ms. */
const MEASURE_MS = 3;
const MOST_REPEATS = 128;
/** Most bytes of an operand. */
export const MOST_BYTES = 128 << 20;
/** The operands that have a part for each row. */
const PER_ROW = ['a', 'a_scales', 'positions'];

/** Returns the milliseconds that the GPU takes for `run`, which computes `rows` rows with `tile` one or more times in one compute pass. */
export type Timer<Tile = GemmTile> = (
  run: (timestampWrites?: GPUComputePassTimestampWrites) => void,
  tile: Tile,
  rows: number,
) => Promise<number>;

/** By the GPU's own clock: a page hears of the end late, in Firefox by up to 100 ms. */
export function createTimer(gpu: Gpu): Timer<unknown> {
  const timestamps = createTimestamps(gpu, 1);
  return async (run) => {
    run(timestamps.writes(0));
    return (await timestamps.read(1))[0];
  };
}

/** Which of the candidates is the fastest, and how long the first takes once. `timed`: milliseconds of one, repeated so often. */
export async function fastest<T>(candidates: T[], timed: (one: T, repeats: number) => Promise<number>) {
  const once = Math.min(await timed(candidates[0], 1), await timed(candidates[0], 1));
  const repeats = Math.max(1, Math.min(MOST_REPEATS, Math.ceil(MEASURE_MS / once)));
  const times = candidates.map(() => Infinity);
  const least = () => times.reduce((a, b) => Math.min(a, b));
  for (let round = 0; round < ROUNDS; round++) {
    const most = WORTH_ANOTHER * least();
    for (const [i, one] of candidates.entries()) {
      if (round === 0 || times[i] <= most) times[i] = Math.min(times[i], await timed(one, repeats));
    }
  }
  return { best: candidates[times.indexOf(least())], once };
}

/**
 * Times every tile on made-up operands of this GEMM's shape; returns the fastest correct one for each number of rows. A piece is a
 * timing of about 3 ms, or one dispatch if that takes longer; no pass waits for a compilation. Throws a TypeError if the device has no timestamps.
 */
export async function tuneGemm(
  gpu: Gpu,
  spec: GemmSpec,
  { turn, kernel }: MeasureTools,
  time: Timer = createTimer(gpu),
): Promise<GemmPlan> {
  const { device } = gpu;
  const compiling: Promise<Gemm | undefined>[] = [];
  for (const tile of tilesFor(gpu, spec)) {
    await turn(() => {
      // A device may reject a tile: experimental features change with the next browser.
      compiling.push(createGemm(gpu, spec, [{ tile }], kernel).catch(() => undefined));
    });
  }
  const gemms = (await Promise.all(compiling)).filter((gemm) => gemm !== undefined);
  const made: GPUBuffer[] = [];
  try {
    // If there is no memory for one of them, those made before it are freed below.
    const { words, operands } = await turn(() => {
      const words = gemmOperands(spec, SOME_ROWS, spec.n);
      return { words, operands: upload(gpu, spec, words, made) };
    });
    const mostRows = operands.out.size / rowBytes(spec);
    const bindGroup = bind(gpu, gemms[0].variants[0].kernel, operands);
    const submit = (record: (commands: GPUCommandEncoder) => void) => {
      const commands = device.createCommandEncoder();
      record(commands);
      device.queue.submit([commands.finish()]);
    };
    const run = (gemm: Gemm, rows: number, repeats: number, timestampWrites?: GPUComputePassTimestampWrites) =>
      submit((commands) => {
        const pass = commands.beginComputePass({ timestampWrites });
        const { kernel, workgroups } = gemmDispatch(gemm, rows);
        pass.setPipeline(kernel.pipeline);
        pass.setBindGroup(0, bindGroup);
        for (let i = 0; i < repeats; i++) pass.dispatchWorkgroups(...workgroups);
        pass.end();
      });
    const timed = (gemm: Gemm, rows: number, repeats: number) =>
      turn(() => time((writes) => run(gemm, rows, repeats, writes), gemm.variants[0].tile, rows));
    const twin = gemmTwin(spec, words);
    const isRight = async (gemm: Gemm): Promise<boolean> => {
      submit((commands) => commands.clearBuffer(operands.out)); // because the residual epilogue adds to it
      run(gemm, M_MULTIPLE, 1);
      const out = await readRows(gpu, spec, operands.out);
      const stride = outStrideOf(spec);
      const columns = spec.epilogue.kind === 'geglu' ? spec.n / 2 : spec.n;
      const { tile } = gemm.variants[0];
      return worstOf((judge) =>
        sample(M_MULTIPLE, columns, tile, (row, column) =>
          judge(out[row * stride + (spec.outColumn ?? 0) + column], ...twin(row, column)),
        ),
      ).isRight;
    };
    const right: Gemm[] = [];
    for (const gemm of gemms) if (await turn(() => isRight(gemm))) right.push(gemm);

    const plan: GemmPlan = [];
    for (const { rows, upTo } of CASES) {
      if (rows > mostRows) break;
      const { best, once } = await fastest(right, (gemm, repeats) => timed(gemm, rows, repeats));
      plan.push({ upTo, tile: best.variants[0].tile });
      if (rows >= SOME_ROWS && once > SLOW_MS) break;
    }
    // The last entry is for any number of rows.
    return plan.map(({ upTo, tile }, i) => (i < plan.length - 1 ? { upTo, tile } : { tile }));
  } finally {
    for (const buffer of made) buffer.destroy();
  }
}

/** Bytes of a row of out. */
const rowBytes = (spec: GemmSpec): number => outStrideOf(spec) * bytesOf(spec.out);

/**
 * The operands' buffers, and one for out: of as many rows as are timed on this device. What belongs to rows is there repeatedly. `made`: takes
 * those that are to be freed.
 */
function upload(
  gpu: Gpu,
  spec: GemmSpec,
  words: GemmOperands,
  made: GPUBuffer[],
): Record<keyof GemmOperands | 'out', GPUBuffer> {
  const usage = STORAGE | COPY_SRC | COPY_DST;
  const most = CASES[CASES.length - 1].rows;
  const widest = Math.max(words.a.byteLength / SOME_ROWS, rowBytes(spec));
  const isMore = most * widest <= Math.min(gpu.limits.maxStorageBufferBindingSize, MOST_BYTES);
  const times = isMore ? most / SOME_ROWS : 1;
  const buffer = (size: number) => {
    const one = gpu.device.createBuffer({ size, usage });
    made.push(one);
    return one;
  };
  const uploaded = (data: Words | undefined, copies: number) => {
    if (!data) return gpu.none;
    const one = buffer(roundUp(data.byteLength * copies, 16));
    for (let i = 0; i < copies; i++) gpu.device.queue.writeBuffer(one, i * data.byteLength, data);
    return one;
  };
  const inputs = Object.fromEntries(
    Object.entries(words).map(([name, data]) => [name, uploaded(data, PER_ROW.includes(name) ? times : 1)]),
  );
  return { ...(inputs as Record<keyof GemmOperands, GPUBuffer>), out: buffer(SOME_ROWS * times * rowBytes(spec)) };
}

/** The first M_MULTIPLE rows of out, as f32. */
async function readRows(gpu: Gpu, spec: GemmSpec, out: GPUBuffer): Promise<Float32Array> {
  const bytes = rowBytes(spec) * M_MULTIPLE;
  const readback = gpu.device.createBuffer({ size: bytes, usage: MAP_READ | COPY_DST });
  const job = new Submission(gpu);
  job.copy(out, 0, readback, 0, bytes);
  const data = await job.read(readback, bytes);
  readback.destroy();
  return numbersAt(data.buffer, 0, bytes / bytesOf(spec.out), spec.out) as Float32Array;
}
