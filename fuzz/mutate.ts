import { mutateTree, type Tree, textOf, treeOf } from './json';
import type { Random } from './random';

/** A mutation of one of the seeds. */
export type Mutate = (seeds: readonly Uint8Array[], random: Random) => Uint8Array;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Flips, inserts, deletes and splices bytes. */
export const mutateBytes: Mutate = (seeds, random) => {
  let bytes = [...random.pick(seeds)];
  for (let changes = 1 + random.below(4); changes > 0; changes--) {
    const at = random.below(bytes.length + 1);
    const length = random.pick([1, 1, 1, 2, 4, 8, 100]);
    const other = random.pick(seeds);
    const from = random.below(other.length);
    const some = Array.from({ length }, () =>
      random.pick([0, 0xff, 0x7f, 0x80, 0x22, 0x2c, 0x5b, 0x7b, random.below(256)]),
    );
    const change = random.below(5);
    if (change === 0 && at < bytes.length) bytes[at] ^= 1 << random.below(8);
    else if (change === 1) bytes.splice(at, length);
    else if (change === 2) bytes.splice(at, 0, ...some);
    else if (change === 3) bytes.splice(at, length, ...some);
    else bytes = [...bytes.slice(0, at), ...other.subarray(from, from + (random.chance(0.5) ? length : other.length))];
  }
  return Uint8Array.from(bytes);
};

/** Mutates what the bytes hold as JSON; now and then the bytes. */
export const mutateJson: Mutate = (seeds, random) => {
  if (random.chance(0.1)) return mutateBytes(seeds, random);
  const trees: Tree[] = seeds.map((seed) => treeOf(JSON.parse(decoder.decode(seed))));
  const tree = random.pick(trees);
  for (let changes = random.pick([1, 1, 1, 2, 3]); changes > 0; changes--) mutateTree(tree, random, trees);
  return encoder.encode(textOf(tree));
};

/** A safetensors file: its header as JSON, or its bytes. */
export const mutateSafetensors: Mutate = (seeds, random) => {
  if (random.chance(0.3)) return mutateBytes(seeds, random);
  const parts = seeds.map((bytes) => {
    const end = 8 + Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
    return { header: bytes.subarray(8, end), data: bytes.subarray(end) };
  });
  const header = mutateJson(
    parts.map((part) => part.header),
    random,
  );
  const { data } = random.pick(parts);
  const bytes = new Uint8Array(8 + header.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
  bytes.set(header, 8);
  bytes.set(data, 8 + header.length);
  return bytes;
};
