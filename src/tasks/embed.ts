import type { CallOptions, Embeddings, Pooling } from '../api';
import type { Item } from '../scheduler';
import { encode, type Parts } from './common';

/** Model.embed. */
export async function embed(
  parts: Parts,
  texts: string | string[],
  {
    signal,
    onProgress,
    truncate,
    pooling = parts.info.pooling,
    normalize = true,
  }: CallOptions & { pooling?: Pooling; normalize?: boolean } = {},
): Promise<Embeddings> {
  const { config, submit } = parts;
  if (pooling !== 'mean' && pooling !== 'cls')
    throw new RangeError(`pooling must be 'mean' or 'cls', it is '${pooling}'.`);
  const list = typeof texts === 'string' ? [texts] : texts;
  const dim = config.hidden_size;
  const data = new Float32Array(list.length * dim);
  const items = (await encode(parts, list, { signal, truncate })).map(
    ({ ids }, i): Item => ({
      ids,
      wanted: [{ head: { kind: 'pooled', pooling, normalize }, deliver: (row) => data.set(row, i * dim) }],
    }),
  );
  await submit(items, { signal, onProgress });
  return { data, rows: list.length, dim, row: (i) => data.subarray(i * dim, (i + 1) * dim) };
}
