import { f16ToF32 } from '../formats/float';
import { GROUP, isQuantized } from '../formats/quantize';
import { userAgent } from '../gpu/browser';
import { COPY_DST, COPY_SRC, MAP_READ, STORAGE } from '../gpu/buffers';
import type { Gpu } from '../gpu/device';
import { bind, createKernel } from '../gpu/kernel';
import { Submission } from '../gpu/submission';
import { createTimestamps } from '../gpu/timestamps';
import { createGemm, type Gemm, gemmDispatch, gemmSources, tilesFor } from './gemm';
import { type GemmPlan, type GemmSpec, type GemmTile, M_MULTIPLE, outStrideOf } from './gemm-spec';
import { bytesOf, roundUp, weightBytes } from './storage';

/** Stores plans between visits. Both methods may fail: the plan is then measured again. */
export interface PlanStore {
  get(key: string): Promise<unknown>;
  set(key: string, plan: GemmPlan): Promise<void>;
}

/** The numbers of rows to time, and up to how many rows each result applies. */
const CASES = [{ rows: 16, upTo: 16 }, { rows: 64, upTo: 128 }, { rows: 1024 }];
const ROUNDS = 3;
/** A timing repeats a dispatch until it takes about this long: browsers round the GPU's clock to 0.07 or 0.1 ms. */
const MEASURE_MS = 3;
const MOST_REPEATS = 128;

/**
 * Returns a function that returns a GEMM's plan: the stored one for this adapter and these shaders, or else the fastest tiles as measured now,
 * one GEMM at a time. A tile whose result differs from that of the first tile is never used. `undefined` means that measuring failed and the
 * default plan applies.
 */
export function createTuner(gpu: Gpu, store: PlanStore | undefined): (spec: GemmSpec) => Promise<GemmPlan | undefined> {
  let last: Promise<unknown> = Promise.resolve();
  return async (spec) => {
    const key = planKey(gpu, spec);
    const known = await store?.get(key).catch(() => undefined);
    if (isPlan(known, tilesFor(gpu, spec))) return known;
    const measured = last.then(() => tuneGemm(gpu, spec)).catch(() => undefined);
    last = measured;
    const plan = await measured;
    if (plan) await store?.set(key, plan).catch(() => {});
    return plan;
  };
}

/**
 * The adapter, the shape and a hash of the shaders, so that a new version of them is measured again. Firefox hides the adapter's names: there it
 * is the browser's version, because that is all that tells one device from the next.
 */
export function planKey(gpu: Gpu, spec: GemmSpec): string {
  const { label: _, ...shape } = spec;
  let hash = 0;
  for (const char of gemmSources) hash = (Math.imul(hash, 31) + char.charCodeAt(0)) | 0;
  const { vendor, architecture, device, description } = gpu.info;
  const names = [vendor, architecture, device, description];
  const adapter = names.some(Boolean) ? names : userAgent();
  return JSON.stringify([adapter, shape, tilesFor(gpu, spec), hash >>> 0]);
}

/** A stored value may come from any version: it is a plan only if it consists of today's tiles. */
function isPlan(value: unknown, tiles: GemmTile[]): value is GemmPlan {
  const known = tiles.map((tile) => JSON.stringify(tile));
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.every(
      (entry, i) =>
        known.includes(JSON.stringify(entry?.tile)) && (entry.upTo === undefined) === (i === value.length - 1),
    )
  );
}

/** Returns the milliseconds that the GPU takes for `run`, which computes `rows` rows with `tile` one or more times in one compute pass. */
type Timer = (
  run: (timestampWrites?: GPUComputePassTimestampWrites) => void,
  tile: GemmTile,
  rows: number,
) => Promise<number>;

/** By the GPU's own clock: a page hears of the end late, in Firefox by up to 100 ms. */
function createTimer(gpu: Gpu): Timer {
  const timestamps = createTimestamps(gpu, 1);
  return async (run) => {
    run(timestamps.writes(0));
    return (await timestamps.read(1))[0];
  };
}

/**
 * Times every tile on made-up operands of this GEMM's shape; returns the fastest correct one for few, some and many rows.
 * Throws a TypeError if the device has no timestamps.
 */
export async function tuneGemm(gpu: Gpu, spec: GemmSpec, time: Timer = createTimer(gpu)): Promise<GemmPlan> {
  const { device } = gpu;
  const operands = makeOperands(gpu, spec);
  try {
    // A device may reject a tile: experimental features change with the next browser.
    const compiled = (tile: GemmTile) =>
      createGemm(gpu, spec, [{ tile }], (kernel) => createKernel(gpu, kernel)).catch(() => undefined);
    const gemms = (await Promise.all(tilesFor(gpu, spec).map(compiled))).filter((gemm) => gemm !== undefined);
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
      time((writes) => run(gemm, rows, repeats, writes), gemm.variants[0].tile, rows);
    const result = async (gemm: Gemm): Promise<Float32Array> => {
      submit((commands) => commands.clearBuffer(operands.out)); // because the residual epilogue adds to it
      run(gemm, M_MULTIPLE, 1);
      return readRows(gpu, spec, operands.out);
    };

    const expected = await result(gemms[0]);
    const right = [gemms[0]];
    for (const gemm of gemms.slice(1)) if (isClose(await result(gemm), expected, spec)) right.push(gemm);

    const plan: GemmPlan = [];
    for (const { rows, upTo } of CASES) {
      const once = Math.min(await timed(right[0], rows, 1), await timed(right[0], rows, 1));
      const repeats = Math.max(1, Math.min(MOST_REPEATS, Math.ceil(MEASURE_MS / once)));
      const times = right.map(() => Infinity);
      for (let round = 0; round < ROUNDS; round++) {
        for (const [i, gemm] of right.entries()) times[i] = Math.min(times[i], await timed(gemm, rows, repeats));
      }
      const { tile } = right[times.indexOf(Math.min(...times))].variants[0];
      plan.push(upTo === undefined ? { tile } : { upTo, tile });
    }
    return plan;
  } finally {
    for (const buffer of Object.values(operands)) if (buffer !== gpu.none) buffer.destroy();
  }
}

/** Buffers for the largest number of rows that is timed. a and w hold small numbers of both signs, the same in every run. */
function makeOperands(gpu: Gpu, spec: GemmSpec) {
  const { n, k, epilogue, dtype } = spec;
  const rows = CASES[CASES.length - 1].rows;
  const buffer = (words: Uint32Array<ArrayBuffer>) => {
    const made = gpu.device.createBuffer({ size: roundUp(words.byteLength, 16), usage: STORAGE | COPY_SRC | COPY_DST });
    gpu.device.queue.writeBuffer(made, 0, words);
    return made;
  };
  return {
    a: buffer(noise((rows * k * bytesOf(spec.a)) / 4, spec.a === 'int8' ? 'bits' : spec.a)),
    a_scales: spec.a === 'int8' ? buffer(noise((rows * k) / GROUP, 'f32')) : gpu.none,
    w: buffer(noise(weightBytes(n * k, dtype) / 4, isQuantized(dtype) ? 'bits' : dtype)),
    w_scales: isQuantized(dtype) ? buffer(noise((n * k) / 64, 'f16')) : gpu.none,
    bias: spec.bias ? buffer(noise(n, 'f32')) : gpu.none,
    positions: epilogue.kind === 'rope' ? buffer(new Uint32Array(rows)) : gpu.none,
    rope: epilogue.kind === 'rope' ? buffer(noise(epilogue.headDim, 'f32')) : gpu.none,
    out: buffer(new Uint32Array((rows * outStrideOf(spec) * bytesOf(spec.out)) / 4)),
  };
}

/** Pseudorandom words: f32 numbers or pairs of f16 between 2⁻⁴ and 2⁻³ in magnitude, or plain bits. */
function noise(words: number, of: 'f32' | 'f16' | 'bits'): Uint32Array<ArrayBuffer> {
  const data = new Uint32Array(words);
  let state = 1;
  for (let i = 0; i < words; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    if (of === 'bits') data[i] = state;
    else if (of === 'f32') data[i] = (state & 0x807fffff) | 0x3d800000;
    else data[i] = (state & 0x83ff83ff) | 0x2c002c00;
  }
  return data;
}

/** The first M_MULTIPLE rows of out, as f32. */
async function readRows(gpu: Gpu, spec: GemmSpec, out: GPUBuffer): Promise<Float32Array> {
  const bytes = (out.size / CASES[CASES.length - 1].rows) * M_MULTIPLE;
  const readback = gpu.device.createBuffer({ size: bytes, usage: MAP_READ | COPY_DST });
  const job = new Submission(gpu);
  job.copy(out, 0, readback, 0, bytes);
  const data = await job.read(readback, bytes);
  readback.destroy();
  return spec.out === 'f32' ? data : Float32Array.from(new Uint16Array(data.buffer), f16ToF32);
}

/** Summing k products in another order changes the result by a few roundings of the largest value; f16 output adds one f16 rounding. */
function isClose(actual: Float32Array, expected: Float32Array, { out }: GemmSpec): boolean {
  let largest = 0;
  let difference = 0;
  for (let i = 0; i < expected.length; i++) {
    largest = Math.max(largest, Math.abs(expected[i]));
    const d = Math.abs(actual[i] - expected[i]);
    difference = d <= difference ? difference : d; // keeps a NaN
  }
  return largest > 0 && difference <= largest * (out === 'f16' ? 2e-3 : 1e-4);
}
