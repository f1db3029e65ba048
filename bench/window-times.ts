import type { Profiler } from '../src/gpu/profiler';
import type { Runtime } from '../src/runtime/runtime';
import { sequencesOf } from './cases';
import type { WindowTime } from './report';

/**
 * Time of window attention, which should grow with the length and no faster: one sequence of each length, alternating. The best
 * of the repeats: what else the machine does takes from some lengths and not from others.
 */
export async function windowTimes(
  runtime: Runtime,
  profiler: Profiler,
  lengths: number[],
  repeats: number,
): Promise<Omit<WindowTime, 'model' | 'tier'>[]> {
  const sequences = sequencesOf(lengths, runtime.model.config.vocab_size);
  const times = lengths.map((): number[] => []);
  for (let i = 0; i <= repeats; i++) {
    for (const [s, ids] of sequences.entries()) {
      await runtime.run([ids], [], { profiler });
      const window = (await profiler.collect()).get('attention window');
      if (!window) return []; // no layer has a window
      if (i > 0) times[s].push(window.ms);
    }
  }
  return lengths.map((tokens, s) => {
    const ms = Math.min(...times[s]);
    return { tokens, ms, us_per_token: (1000 * ms) / tokens };
  });
}
