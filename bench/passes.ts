import type { Profiler } from '../src/gpu/profiler';
import { pooledEmbedding } from '../src/model/heads/embeddings';
import type { HeadRequest } from '../src/runtime/head-runner';
import type { Runtime } from '../src/runtime/runtime';
import type { loadRuntime } from '../src/session/load-runtime';

/** A model without its tokenizer, ready to run. */
export type Loaded = Awaited<ReturnType<typeof loadRuntime>>;

/** The head that an index of documents uses: the normalised mean of each sequence's hidden states. */
export const embeddings = (sequences: number): HeadRequest => ({
  head: pooledEmbedding({ pooling: ['mean'], normalize: true }),
  indices: Uint32Array.from({ length: sequences }, (_, i) => i),
});

/**
 * From token ids to embeddings in JavaScript; as in the scheduler, a pass begins once the one before is submitted. `rows`: each pass's
 * embeddings, [sequences, hidden_size].
 */
export async function runPasses(runtime: Runtime, passes: Uint32Array[][], profiler?: Profiler) {
  const sums = { dispatches: 0, flops: 0, issuedFlops: 0 };
  const rows: Float32Array[] = [];
  const run = async (pass: Uint32Array[], onSubmitted?: () => void) => {
    const { heads, dispatches, flops, issuedFlops } = await runtime.run(pass, [embeddings(pass.length)], {
      profiler,
      onSubmitted,
    });
    rows[passes.indexOf(pass)] = heads[0].data;
    sums.dispatches += dispatches;
    sums.flops += flops;
    sums.issuedFlops += issuedFlops;
  };
  const start = performance.now();
  let last = Promise.resolve();
  for (const pass of passes) {
    const before = last;
    if (profiler) await run(pass);
    else {
      await new Promise<void>((submitted, failed) => {
        last = run(pass, submitted);
        last.catch(failed);
      });
    }
    await before; // at most two in flight
  }
  await last;
  return { ...sums, rows, ms: performance.now() - start };
}
