/**
 * The token stream: sequences one after the other without padding. `input_ids` is [tokens]; `cu_seqlens`, [sequences + 1], has the stream
 * row at which each sequence begins; `positions`, [tokens], restarts at every sequence; `token_type_ids`, [tokens].
 */
export interface TokenStream {
  input_ids: Uint32Array<ArrayBuffer>;
  cu_seqlens: Uint32Array<ArrayBuffer>;
  positions: Uint32Array<ArrayBuffer>;
  token_type_ids: Uint32Array<ArrayBuffer>;
  /** Per sequence, the row after its last key: its end, or less if its last tokens are queries only (ColBERT). */
  key_ends: Uint32Array<ArrayBuffer>;
}

export interface StreamOptions {
  /** How many tokens of each sequence are keys of attention. Default: all. */
  keys?: readonly (number | undefined)[];
  /** Of each sequence, a type per token. Default: 0. */
  token_type_ids?: readonly (Uint32Array | undefined)[];
  /** RoBERTa's way of counting positions: they begin at padding_idx + 1, and padding tokens have padding_idx (create_position_ids_from_input_ids). */
  padding_idx?: number;
}

export function tokenStream(
  sequences: Uint32Array[],
  { keys = [], token_type_ids: types = [], padding_idx }: StreamOptions = {},
): TokenStream {
  const cu_seqlens = new Uint32Array(sequences.length + 1);
  sequences.forEach((ids, i) => {
    cu_seqlens[i + 1] = cu_seqlens[i] + ids.length;
  });
  const tokens = cu_seqlens[sequences.length];
  const input_ids = new Uint32Array(tokens);
  const positions = new Uint32Array(tokens);
  const token_type_ids = new Uint32Array(tokens);
  sequences.forEach((ids, i) => {
    const start = cu_seqlens[i];
    input_ids.set(ids, start);
    const own = types[i];
    if (own) token_type_ids.set(own, start);
    let next = padding_idx === undefined ? 0 : padding_idx + 1;
    for (let t = 0; t < ids.length; t++) positions[start + t] = ids[t] === padding_idx ? padding_idx : next++;
  });
  const key_ends = Uint32Array.from(sequences, (ids, i) => cu_seqlens[i] + (keys[i] ?? ids.length));
  return { input_ids, cu_seqlens, positions, token_type_ids, key_ends };
}

/**
 * For every row of the stream, (first, end) of the keys that it attends to, [tokens, 2]: its whole sequence if `window` is 0 (global), else
 * the rows of it at most `window` away.
 */
export function keyBounds({ cu_seqlens, key_ends, input_ids }: TokenStream, window: number): Uint32Array<ArrayBuffer> {
  const bounds = new Uint32Array(input_ids.length * 2);
  for (let s = 0; s + 1 < cu_seqlens.length; s++) {
    const [start, end] = [cu_seqlens[s], cu_seqlens[s + 1]];
    for (let row = start; row < end; row++) {
      bounds[2 * row] = window === 0 ? start : Math.max(start, row - window);
      bounds[2 * row + 1] = window === 0 ? key_ends[s] : Math.min(key_ends[s], row + window + 1);
    }
  }
  return bounds;
}

/** One work item of attention: query rows q_start .. q_end attend to keys k_start .. k_end, in stream rows. */
interface AttentionTileItem {
  q_start: number;
  q_end: number;
  k_start: number;
  k_end: number;
}

/**
 * The work list of attention: query tiles of at most `rows` rows, longest key range first. Longer sequences are cut into several tiles;
 * shorter neighbours share one, in which each row still attends only to its own sequence. `window` 0 is global.
 */
export function attentionTiles(cu_seqlens: Uint32Array, rows: number, window: number): AttentionTileItem[] {
  const tiles: AttentionTileItem[] = [];
  const sequences = cu_seqlens.length - 1;
  for (let s = 0; s < sequences; ) {
    const start = cu_seqlens[s];
    let last = s + 1;
    while (last < sequences && cu_seqlens[last + 1] - start <= rows) last++;
    const end = cu_seqlens[last];
    for (let q_start = start; q_start < end; q_start += rows) {
      const q_end = Math.min(q_start + rows, end);
      tiles.push({
        q_start,
        q_end,
        k_start: window === 0 ? start : Math.max(start, q_start - window),
        k_end: window === 0 ? end : Math.min(end, q_end + window),
      });
    }
    s = last;
  }
  return tiles.sort((a, b) => b.k_end - b.k_start - (a.k_end - a.k_start) || a.q_start - b.q_start);
}

/** The work list as the kernel reads it: [tiles, 4]. */
export const tileWords = (tiles: AttentionTileItem[]): Uint32Array<ArrayBuffer> =>
  Uint32Array.from(tiles.flatMap(({ q_start, q_end, k_start, k_end }) => [q_start, q_end, k_start, k_end]));
