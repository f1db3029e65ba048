/** Times the tiles of attention on this device, piece by piece: code that only its first use needs. */
import { COPY_DST, COPY_SRC, MAP_READ, STORAGE } from '../gpu/buffers';
import type { Gpu } from '../gpu/device';
import { bind, type Kernel } from '../gpu/kernel';
import { Submission } from '../gpu/submission';
import {
  type AttentionPlan,
  type AttentionSpec,
  type AttentionTile,
  attentionCandidates,
  attentionDispatch,
  attentionKernel,
} from '../kernels/attention';
import { noise, numbersAt, type Words } from '../kernels/gemm-twin';
import { createTimer, fastest, MOST_BYTES, SLOW_MS, type Timer } from '../kernels/measure';
import { bytesOf } from '../kernels/storage';
import type { MeasureTools } from '../kernels/tune';
import { attentionTiles, keyBounds, tileWords, tokenStream } from '../packing/stream';

/** Passes to time: a short and a longer query, and so many texts that they fill a card. Up to how many tokens each result applies. */
const CASES = [
  { texts: 1, length: 128, upTo: 256 },
  { texts: 1, length: 512, upTo: 1024 },
  { texts: 8, length: 512, upTo: Infinity },
];
/** Numbers near 1, each computed in f32 by two tiles, and perhaps stored as f16. */
const SAME = 2e-3;

/**
 * Times every tile on made-up operands of this shape; returns the fastest for each number of tokens, of those that agree with the first. A piece is
 * a timing of about 3 ms, or one dispatch if that takes longer. Throws a TypeError if the device has no timestamps.
 */
export async function tuneAttention(
  gpu: Gpu,
  spec: AttentionSpec,
  { turn, kernel }: MeasureTools,
  time: Timer<AttentionTile> = createTimer(gpu),
): Promise<AttentionPlan> {
  const { device } = gpu;
  const compiling: Promise<{ tile: AttentionTile; kernel: Kernel } | undefined>[] = [];
  for (const tile of attentionCandidates(gpu, spec)) {
    await turn(() => {
      const compiled = kernel(attentionKernel(spec, tile));
      compiling.push(
        compiled.then(
          (kernel) => ({ tile, kernel }),
          () => undefined,
        ),
      );
    });
  }
  const compiled = (await Promise.all(compiling)).filter((one) => one !== undefined);

  const bytes = bytesOf(spec.act);
  const most = Math.min(gpu.limits.maxStorageBufferBindingSize, MOST_BYTES) / (spec.qkv * bytes);
  const cases = CASES.filter(({ texts, length }) => texts * length <= most);
  const made: GPUBuffer[] = [];
  const buffer = (size: number, usage = STORAGE | COPY_SRC | COPY_DST) => {
    const one = device.createBuffer({ size, usage });
    made.push(one);
    return one;
  };
  const upload = (words: Words) => {
    const one = buffer(words.byteLength);
    device.queue.writeBuffer(one, 0, words);
    return one;
  };
  try {
    const { qkv, out } = await turn(() => {
      const tokens = cases.reduce((most, { texts, length }) => Math.max(most, texts * length), 0);
      const words = noise((tokens * spec.qkv * bytes) / 4, spec.act, -1);
      return { qkv: upload(words), out: buffer(tokens * spec.attention * bytes) };
    });
    const none = { relative_bias: gpu.none, c2p: gpu.none, p2c: gpu.none };
    /** The tiles' dispatches for a pass. */
    const dispatches = ({ texts, length }: (typeof CASES)[number]) => {
      const stream = tokenStream(Array.from({ length: texts }, () => new Uint32Array(length)));
      const bounds = upload(keyBounds(stream, spec.window));
      return compiled.map(({ tile, kernel }) => {
        const work = attentionTiles(stream.cu_seqlens, tile.rows, spec.window);
        const bindGroup = bind(gpu, kernel, { ...none, qkv, out, bounds, tiles: upload(tileWords(work)) });
        const { workgroups } = attentionDispatch(spec, tile, { tiles: work.length, issuedPairs: 0 });
        const run = (repeats: number, timestampWrites?: GPUComputePassTimestampWrites) => {
          const commands = device.createCommandEncoder();
          const pass = commands.beginComputePass({ timestampWrites });
          pass.setPipeline(kernel.pipeline);
          pass.setBindGroup(0, bindGroup);
          for (let i = 0; i < repeats; i++) pass.dispatchWorkgroups(...workgroups);
          pass.end();
          device.queue.submit([commands.finish()]);
        };
        return { tile, run };
      });
    };
    const outOf = async ({ run }: ReturnType<typeof dispatches>[number], size: number) => {
      run(1);
      const job = new Submission(gpu);
      const readback = buffer(size, MAP_READ | COPY_DST);
      job.copy(out, 0, readback, 0, size);
      const data = await job.read(readback, size);
      return numbersAt(data.buffer, 0, size / bytes, spec.act);
    };
    const right = new Set<AttentionTile>();
    let first: ArrayLike<number> | undefined;
    const { length } = cases[0];
    for (const one of await turn(() => dispatches(cases[0]))) {
      const numbers = await turn(() => outOf(one, length * spec.attention * bytes));
      first ??= numbers;
      let worst = 0;
      for (let i = 0; i < numbers.length; i++) {
        const difference = Math.abs(numbers[i] - first[i]);
        worst = difference <= worst ? worst : difference; // NaN stays
      }
      if (worst <= SAME) right.add(one.tile);
    }
    const plan: AttentionPlan = [];
    for (const { texts, length, upTo } of cases) {
      const candidates = (await turn(() => dispatches({ texts, length, upTo }))).filter(({ tile }) => right.has(tile));
      const { best, once } = await fastest(candidates, ({ tile, run }, repeats) =>
        turn(() => time((writes) => run(repeats, writes), tile, texts * length)),
      );
      plan.push({ upTo, tile: best.tile });
      if (once > SLOW_MS) break;
    }
    // The last entry is for any number of tokens.
    return plan.map(({ upTo, tile }, i) => (i < plan.length - 1 ? { upTo, tile } : { tile }));
  } finally {
    for (const one of made) one.destroy();
  }
}
