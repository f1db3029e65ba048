import { type Tree, textOf, treeOf } from './json';

type Bytes = Uint8Array<ArrayBuffer>;
type Fails = (candidate: Bytes) => Promise<boolean>;

/** A smaller input that fails in the same way, after at most `tries` runs: parts of its JSON, or else of its bytes, are left out. */
export async function smaller(input: Bytes, fails: Fails, tries: number): Promise<Bytes> {
  let left = tries;
  const attempt = async (candidate: Bytes) => left-- > 0 && (await fails(candidate));
  try {
    return await smallerJson(treeOf(JSON.parse(new TextDecoder().decode(input))), input, attempt);
  } catch {
    return smallerBytes(input, attempt);
  }
}

async function smallerBytes(input: Bytes, fails: Fails): Promise<Bytes> {
  let best = input;
  for (let size = best.length >> 1; size > 0; size >>= 1) {
    for (let at = 0; at < best.length; ) {
      const candidate = Uint8Array.from([...best.subarray(0, at), ...best.subarray(at + size)]);
      if (await fails(candidate)) best = candidate;
      else at += size;
    }
  }
  return best;
}

async function smallerJson(tree: Tree, input: Bytes, fails: Fails): Promise<Bytes> {
  const bytes = () => Uint8Array.from(new TextEncoder().encode(textOf(tree)));
  if (!(await fails(bytes()))) return input; // it takes what JSON.parse hides
  const visit = async (node: Tree): Promise<void> => {
    if (typeof node === 'string') return;
    const inner: unknown[] = 'list' in node ? node.list : node.entries;
    for (let size = inner.length; size > 0; size >>= 1) {
      for (let at = 0; at < inner.length; ) {
        const removed = inner.splice(at, size);
        if (!(await fails(bytes()))) {
          inner.splice(at, 0, ...removed);
          at += size;
        }
      }
    }
    for (const child of 'list' in node ? node.list : node.entries.map(([, value]) => value)) await visit(child);
  };
  await visit(tree);
  return bytes();
}
