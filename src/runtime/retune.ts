/** Faster kernels for a model that is in use already: measured, compiled and checked between its passes. */
import { measureMissing } from '../kernels/measure';
import type { MeasureTools, Tuner } from '../kernels/tune';
import type { CompiledEncoder } from './runtime';
import { type Checkable, findWrong } from './self-check';

interface Options<T extends Checkable> extends MeasureTools {
  tuner: Tuner;
  /** Compiles the encoder by the plans that there are when it is called. */
  compile(): Promise<{ encoder: CompiledEncoder; kernels: T[] }>;
  /** The kernels in use, which the load has checked. */
  inUse: Checkable[];
  /** Throws if one of the kernels computes something wrong; `find` runs what nothing is remembered of. */
  check(kernels: T[], find: typeof findWrong): Promise<void>;
}

/** Measures what has no plan yet, stores the plans, and returns the encoder by them. Throws if that computes something wrong. */
export async function retune<T extends Checkable>(options: Options<T>): Promise<CompiledEncoder> {
  const { turn, compile, inUse, check } = options;
  await measureMissing(options);
  const { encoder, kernels } = await compile();
  const known = new Set(inUse.flatMap(kernelsIn));
  await check(kernels, async (memory, all) => {
    const wrong = new Map<(typeof all)[number], string>();
    for (const one of all) {
      if (kernelsIn(one).every((kernel) => known.has(kernel))) continue;
      for (const [kernel, reason] of await turn(() => findWrong(memory, [one]))) wrong.set(kernel, reason);
    }
    return wrong;
  });
  return encoder;
}

const kernelsIn = ({ compiled }: Checkable) => compiled.variants.map(({ kernel }) => kernel);
