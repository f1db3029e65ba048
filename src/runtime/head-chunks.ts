/** Heads work in chunks of rows: which rows of a request each has. */
import { poolSpan } from '../kernels/pool';
import { roundUp } from '../kernels/storage';
import type { Head } from '../model/heads/head';
import type { TokenStream } from '../packing/stream';
import type { HeadRequest } from './head-runner';

export interface ChunkLimits {
  /** Rows of a chunk, a rowMultiple. */
  chunkRows: number;
  /** Of a head that gathers: tokens of a chunk, but for a longer sequence. */
  chunkTokens: number;
}

/** Words and where they lie in the row lists. */
interface Placed {
  words: Uint32Array;
  offset: number;
}

/** Part of a request. `words`: its stream rows, or the spans of its sequences. */
export interface Chunk extends Pick<HeadRequest, 'head'>, Placed {
  request: number;
  /** The chunk's place in the request. */
  first: number;
  rows: number;
  /** Tokens of the pass; if the head gathers, of the chunk. */
  tokens: number;
  /** If the head gathers, `words` has the rows of the chunk's tokens, and from here on the spans. */
  spansAt: number;
  /** Of an item that is computed apart. */
  lists: Placed[];
}

/**
 * A chunk's rows are padded to a multiple of this: GEMMs write so many, and every chunk's part of the row lists starts at a bindable offset. Of
 * heads that gather, GEMMs write tokens, and the few large rows need no padding.
 */
export const rowMultiple = ({ gathers }: Head): number => (gathers ? 1 : 64);

/** The requests in chunks. */
export function chunksOf(
  requests: HeadRequest[],
  limits: ChunkLimits[],
  { cu_seqlens, input_ids }: TokenStream,
): Chunk[] {
  let offset = 0;
  const placed = (words: Uint32Array): Placed => {
    const at = offset;
    offset = roundUp(offset + words.length, 64);
    return { words, offset: at };
  };
  return requests.flatMap(({ head, indices, spans, apart }, request) => {
    const chunks: Chunk[] = [];
    const items = apart?.filter(({ rows }) => rows > 0);
    for (let first = 0; first < indices.length; ) {
      const item = items?.[chunks.length];
      const end = item ? first + item.rows : chunkEnd(head, indices, first, limits[request], cu_seqlens);
      const part = indices.subarray(first, end);
      const { words, ...sizes } = head.gathers
        ? gathered(part, cu_seqlens)
        : {
            tokens: input_ids.length,
            words: head.by === 'row' ? part : (spans?.subarray(3 * first, 3 * end) ?? spansOf(part)),
            spansAt: 0,
          };
      const own = { head, request, first, rows: part.length, ...sizes, ...placed(words) };
      chunks.push({ ...own, lists: (item?.lists ?? []).map(placed) });
      first = end;
    }
    return chunks;
  });

  function spansOf(sequences: Uint32Array): Uint32Array {
    return Uint32Array.from([...sequences].flatMap((s) => poolSpan(cu_seqlens[s], cu_seqlens[s + 1])));
  }
}

/** The end of the chunk that begins with index `first`. */
function chunkEnd(
  { gathers }: Head,
  indices: Uint32Array,
  first: number,
  { chunkRows, chunkTokens }: ChunkLimits,
  cu_seqlens: Uint32Array,
): number {
  const most = Math.min(first + chunkRows, indices.length);
  if (!gathers) return most;
  let tokens = 0;
  for (let i = first; i < most; i++) {
    tokens += cu_seqlens[indices[i] + 1] - cu_seqlens[indices[i]];
    if (tokens > chunkTokens && i > first) return i;
  }
  return most;
}

/** The rows of these sequences' tokens, then, at a bindable offset, where each sequence lies among these rows. */
function gathered(sequences: Uint32Array, cu_seqlens: Uint32Array): Pick<Chunk, 'tokens' | 'words' | 'spansAt'> {
  const tokens = sequences.reduce((sum, s) => sum + cu_seqlens[s + 1] - cu_seqlens[s], 0);
  const spansAt = roundUp(tokens, 64);
  const words = new Uint32Array(spansAt + 3 * sequences.length);
  let at = 0;
  sequences.forEach((s, i) => {
    const start = at;
    for (let row = cu_seqlens[s]; row < cu_seqlens[s + 1]; row++) words[at++] = row;
    words.set(poolSpan(start, at), spansAt + 3 * i);
  });
  return { tokens, words, spansAt };
}
