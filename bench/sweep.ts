// npm run bench:sweep: every design and tile of matrix products and attention at ModernBERT-base's shapes, by rows and lengths, in GFLOP/s.
// The tuner and the default plans can be judged by it. USAGE below.
import { appendFileSync, writeFileSync } from 'node:fs';
import { create } from 'webgpu';
import type { Arithmetic, Dtype } from '../src/api/types';
import { isQuantized } from '../src/formats/quantize';
import { COPY_DST, COPY_SRC, STORAGE } from '../src/gpu/buffers';
import { type Gpu, openGpu } from '../src/gpu/device';
import { bind, createKernel, type Kernel, type Workgroups } from '../src/gpu/kernel';
import { isSoftware, SUBGROUP_SIZES } from '../src/gpu/profile';
import {
  type AttentionSpec,
  type AttentionTile,
  attentionCandidates,
  attentionDispatch,
  attentionKernel,
  attentionPlan,
} from '../src/kernels/attention';
import { createGemm, gemmDispatch, INT8_TILES, matrixTiles, PLANS, TILES, unrolled } from '../src/kernels/gemm';
import type { GemmSpec, GemmTile } from '../src/kernels/gemm-spec';
import { headsLayout } from '../src/kernels/layout';
import { bytesOf, weightBytes } from '../src/kernels/storage';
import { attentionTiles, keyBounds, tileWords, tokenStream } from '../src/packing/stream';
import { choose, count, parseFlags, runCommand } from './args';
import { nodeEnvironment } from './environment';

const USAGE = `npm run bench:sweep -- [--out FILE.jsonl] [--what gemm,attention] [--dtypes f16,q8,int8] [--rows N]
  --out FILE    appends each result as it comes, one JSON object per line; the first line says where and when
  --dtypes A,B  weights of the matrix products, of f32, f16, q8, q4, int8 (q8 weights and integers); default f16
  --rows N      most rows of a matrix product and tokens of attention; default 16384, on software adapters 128
  --unroll N    most steps of an inner loop to write out; default 16, which software adapters take 30 s to compile
  --dawn A,B    Dawn toggles to enable`;

const DTYPES = ['f32', 'f16', 'q8', 'q4', 'int8'] as const;
const ROWS = [16, 64, 128, 256, 512, 1024, 4096, 16384];
const HEADS = headsLayout(12, 64);

/** The four matrix products of a ModernBERT-base layer. */
const SHAPES: Pick<GemmSpec, 'label' | 'k' | 'n' | 'epilogue'>[] = [
  { label: 'Wqkv', k: 768, n: 2304, epilogue: { kind: 'rope', attentionWidth: 768, headDim: 64, qScale: 0.18 } },
  { label: 'attn.Wo', k: 768, n: 768, epilogue: { kind: 'residual' } },
  { label: 'mlp.Wi', k: 768, n: 2304, epilogue: { kind: 'geglu', activation: 'gelu' } },
  { label: 'mlp.Wo', k: 1152, n: 768, epilogue: { kind: 'residual' } },
];

/** Tiles that no plan has yet. */
const MORE_TILES: GemmTile[] = [
  [128, 128, 16],
  [128, 64, 16],
  [64, 128, 16],
  [64, 64, 8],
  [32, 64, 16],
].map(([m, n, k]) => ({ design: 'workgroup', m, n, k, unroll: k }));

/** Likewise of attention: rows, threads across, keys and dimensions of a thread. */
const MORE_ATTENTION_TILES = (
  [
    [64, 8, 4, 8],
    [32, 8, 8, 8],
    [128, 8, 8, 8],
    [32, 16, 4, 4],
  ] as const
).map(([rows, across, keys, dims]): AttentionTile => ({ design: 'workgroup', rows, across, keys, dims }));

const nameOf = ({ design, ...sizes }: object & { design: string }) => `${design} ${Object.values(sizes).join('x')}`;

/** A buffer of reproducible f32 numbers, pairs of f16 ones (magnitudes of 2⁻⁴ to 2⁻³) or bits. */
function noise({ device }: Gpu, bytes: number, of: 'f32' | 'f16' | 'bits'): GPUBuffer {
  const words = new Uint32Array(bytes / 4);
  let state = 1;
  for (let i = 0; i < words.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    words[i] =
      of === 'bits' ? state : of === 'f32' ? (state & 0x807fffff) | 0x3d800000 : (state & 0x83ff83ff) | 0x2c002c00;
  }
  return written(device, words);
}

function written(device: GPUDevice, words: Uint32Array<ArrayBuffer>): GPUBuffer {
  const buffer = device.createBuffer({ size: words.byteLength, usage: STORAGE | COPY_DST | COPY_SRC });
  device.queue.writeBuffer(buffer, 0, words);
  return buffer;
}

/** Milliseconds of one dispatch: the best of three runs, each of as many dispatches as take about `atLeast` milliseconds. */
async function time(
  gpu: Gpu,
  kernel: Kernel,
  buffers: Record<string, GPUBuffer>,
  workgroups: Workgroups,
): Promise<number> {
  const { queue } = gpu.device;
  const group = bind(gpu, kernel, buffers);
  const run = async (times: number) => {
    const commands = gpu.device.createCommandEncoder();
    const pass = commands.beginComputePass();
    pass.setPipeline(kernel.pipeline);
    pass.setBindGroup(0, group);
    for (let i = 0; i < times; i++) pass.dispatchWorkgroups(...workgroups);
    pass.end();
    const start = performance.now();
    queue.submit([commands.finish()]);
    await queue.onSubmittedWorkDone();
    return performance.now() - start;
  };
  const once = Math.min(await run(1), await run(1));
  const times = Math.max(1, Math.min(256, Math.ceil(MEASURED_MS / once)));
  let best = once;
  for (let i = 0; i < 3; i++) best = Math.min(best, (await run(times)) / times);
  return best;
}
const MEASURED_MS = 8;

type Report = (line: Record<string, unknown>) => void;

async function sweepGemms(
  gpu: Gpu,
  dtype: (typeof DTYPES)[number],
  rowCounts: number[],
  report: Report,
): Promise<void> {
  const stored: Dtype = dtype === 'int8' ? 'q8' : dtype;
  const act: Arithmetic = gpu.hasF16 && dtype !== 'f32' ? 'f16' : 'f32';
  const a = dtype === 'int8' ? 'int8' : act;
  const most = rowCounts[rowCounts.length - 1];
  for (const shape of SHAPES) {
    const out = shape.epilogue.kind === 'residual' ? 'f32' : act;
    const spec: GemmSpec = { ...shape, bias: false, dtype: stored, a, out };
    const { n, k } = spec;
    const quantized = isQuantized(stored);
    const buffers: Record<string, GPUBuffer> = {
      a: noise(gpu, most * k * bytesOf(a), a === 'int8' ? 'bits' : a),
      a_scales: a === 'int8' ? noise(gpu, (most * k) / 8, 'f32') : gpu.none,
      w: noise(gpu, weightBytes(n * k, stored), quantized ? 'bits' : (stored as 'f32' | 'f16')),
      w_scales: quantized ? noise(gpu, (n * k) / 16, 'f16') : gpu.none,
      bias: gpu.none,
      positions: written(gpu.device, new Uint32Array(most)),
      rope: noise(gpu, 4 * 64, 'f32'),
      out: written(gpu.device, new Uint32Array((most * n * bytesOf(out)) / 4)),
    };
    const ofSubgroups = SUBGROUP_SIZES.includes(gpu.subgroupSize ?? 0) ? PLANS.subgroup.map(({ tile }) => tile) : [];
    const tiles = a === 'int8' ? INT8_TILES : [...TILES, ...MORE_TILES, ...matrixTiles(gpu, spec), ...ofSubgroups];
    for (const tile of tiles.map((tile) => unrolled(tile, gpu.profile.unroll))) {
      const line = { gemm: spec.label, dtype, a, tile: nameOf(tile) };
      try {
        const gemm = await createGemm(gpu, spec, [{ tile }], (kernel) => createKernel(gpu, kernel));
        const gflops: Record<string, number> = {};
        for (const rows of rowCounts) {
          if (tile.design === 'split_k' && rows > 128) continue;
          const { kernel, workgroups } = gemmDispatch(gemm, rows);
          gflops[`r${rows}`] = Math.round((2 * rows * n * k) / (await time(gpu, kernel, buffers, workgroups)) / 1e6);
        }
        report({ ...line, ...gflops });
      } catch (error) {
        report({ ...line, error: String(error).slice(0, 300) });
      }
    }
    for (const buffer of Object.values(buffers)) if (buffer !== gpu.none) buffer.destroy();
  }
}

async function sweepAttention(gpu: Gpu, most: number, report: Report): Promise<void> {
  const act: Arithmetic = gpu.hasF16 ? 'f16' : 'f32';
  const many = Math.min(most, 16384);
  const cases = [
    { length: 8192, sequences: 1 },
    ...[512, 128].flatMap((length) =>
      [...new Set([1, Math.floor(many / length)])].map((sequences) => ({ length, sequences })),
    ),
  ].flatMap((one) => [0, 64].map((window) => ({ ...one, window })));
  for (const { length, sequences, window } of cases.filter(({ length }) => length <= most)) {
    const stream = tokenStream(Array.from({ length: sequences }, () => new Uint32Array(length)));
    const tokens = stream.input_ids.length;
    const bounds = keyBounds(stream, window);
    let pairs = 0;
    for (let i = 0; i < bounds.length; i += 2) pairs += bounds[i + 1] - bounds[i];
    const shared = {
      qkv: noise(gpu, tokens * 3 * HEADS.attention * bytesOf(act), act),
      bounds: written(gpu.device, bounds),
      out: written(gpu.device, new Uint32Array((tokens * HEADS.attention * bytesOf(act)) / 4)),
      relative_bias: gpu.none,
      c2p: gpu.none,
      p2c: gpu.none,
    };
    const lanes = SUBGROUP_SIZES.includes(gpu.subgroupSize ?? 0) ? gpu.subgroupSize! : undefined;
    const tiles: AttentionTile[] = [
      ...attentionCandidates(gpu, HEADS),
      ...MORE_ATTENTION_TILES.map((tile) => ({ ...tile, unroll: gpu.profile.unroll })),
      ...(lanes
        ? attentionPlan({ ...gpu, profile: { ...gpu.profile, attention: ['subgroup'] } }, HEADS).map(({ tile }) => tile)
        : []),
    ];
    for (const tile of tiles) {
      const line = { attention: window === 0 ? 'global' : 'window', length, tokens, act, tile: nameOf(tile) };
      try {
        const work = attentionTiles(stream.cu_seqlens, tile.rows, window);
        const buffers = { ...shared, tiles: written(gpu.device, tileWords(work)) };
        const spec: AttentionSpec = { ...HEADS, act, window };
        const { workgroups } = attentionDispatch(spec, tile, { tiles: work.length, issuedPairs: 0 });
        const ms = await time(gpu, await createKernel(gpu, attentionKernel(spec, tile)), buffers, workgroups);
        const flops = 4 * pairs * HEADS.head_dim * HEADS.heads;
        report({ ...line, ms: Number(ms.toFixed(4)), gflops: Math.round(flops / ms / 1e6) });
        buffers.tiles.destroy();
      } catch (error) {
        report({ ...line, error: String(error).slice(0, 300) });
      }
    }
    for (const buffer of Object.values(shared)) if (buffer !== gpu.none) buffer.destroy();
  }
}

async function main(): Promise<void> {
  const values = parseFlags(['out', 'what', 'dtypes', 'rows', 'unroll', 'dawn'], ['help']);
  if (values.help) return console.log(USAGE);
  const what = choose('--what', values.what, ['gemm', 'attention']) ?? ['gemm', 'attention'];
  const dtypes = choose('--dtypes', values.dtypes, [...DTYPES]) ?? ['f16' as const];
  const toggles = values.dawn?.split(',') ?? [];
  const gpu = await openGpu(create(toggles.map((name) => `enable-dawn-features=${name}`)), {
    name: 'card',
    unroll: count('--unroll', values.unroll),
  });
  const most = count('--rows', values.rows) ?? (isSoftware(gpu.info) ? 128 : 16384);
  const report: Report = (line) => {
    console.log(Object.values(line).join('\t'));
    if (values.out) appendFileSync(values.out, `${JSON.stringify(line)}\n`);
  };
  if (values.out) writeFileSync(values.out, '');
  report({ ...nodeEnvironment(), toggles, adapter: gpu.info.device, driver: gpu.info.description });
  if (what.includes('attention')) await sweepAttention(gpu, most, report);
  if (!what.includes('gemm')) return;
  for (const dtype of dtypes)
    await sweepGemms(
      gpu,
      dtype,
      ROWS.filter((rows) => rows <= most),
      report,
    );
}

runCommand(main, USAGE);
