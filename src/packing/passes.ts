/**
 * Groups sequences into GPU passes of at most `maxTokens` tokens by best-fit decreasing, which fills all but the last passes completely if
 * there are enough short sequences. Returns lists of indices into `lengths`, ascending within a pass. Throws a RangeError for a sequence
 * longer than `maxTokens`.
 */
export function packPasses(lengths: ArrayLike<number>, maxTokens: number): number[][] {
  const order = Array.from(lengths, (_, i) => i).sort((a, b) => lengths[b] - lengths[a] || a - b);
  const passes: number[][] = [];
  const room: number[] = [];
  const open: number[] = []; // indices of passes, sorted by room, tightest first
  for (const i of order) {
    const length = lengths[i];
    if (length > maxTokens) {
      throw new RangeError(
        `Sequence ${i} has ${length} tokens; one pass holds at most ${maxTokens}. Shorten it, or raise maxTokensPerPass.`,
      );
    }
    let at = lowerBound(open, room, length);
    let pass: number;
    if (at === open.length) {
      pass = passes.push([]) - 1;
      room.push(maxTokens);
    } else {
      [pass] = open.splice(at, 1);
    }
    passes[pass].push(i);
    room[pass] -= length;
    at = lowerBound(open, room, room[pass]);
    if (room[pass] > 0) open.splice(at, 0, pass);
  }
  return passes.map((pass) => pass.sort((a, b) => a - b));
}

/** The first index in `open` whose pass has room for `length`. */
function lowerBound(open: number[], room: number[], length: number): number {
  let low = 0;
  let high = open.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (room[open[middle]] < length) low = middle + 1;
    else high = middle;
  }
  return low;
}
