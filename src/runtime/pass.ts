/** One pass over a token stream: its sizes, and what the kernels need to know of its sequences. */
import { type AttentionPlan, type AttentionSizes, attentionPairs, entryFor } from '../kernels/attention';
import { M_MULTIPLE } from '../kernels/gemm-spec';
import type { Slot } from '../kernels/step';
import { roundUp } from '../kernels/storage';
import { boundsOf, input_ids, type PassSizes, positions, tilesOf, token_type_ids } from '../model/family';
import { attentionTiles, keyBounds, type TokenStream, tileWords } from '../packing/stream';

export interface Pass {
  sizes: PassSizes;
  /** What goes into the input slots. */
  inputs: { slot: Slot; data: Uint32Array<ArrayBuffer> }[];
}

/** `plans`: those of the model's attention, by window. Rows that pad the last GEMM tile are token 0, so that nothing there is ever NaN. */
export function passOf(stream: TokenStream, plans: Map<number, AttentionPlan>): Pass {
  const tokens = stream.input_ids.length;
  const padded = new Uint32Array(roundUp(tokens, M_MULTIPLE));
  padded.set(stream.input_ids);
  const inputs = [
    { slot: input_ids, data: padded },
    { slot: positions, data: stream.positions },
    { slot: token_type_ids, data: stream.token_type_ids },
  ];
  const attention = new Map<number, AttentionSizes>();
  for (const [window, plan] of plans) {
    const { tile } = entryFor(plan, tokens);
    const bounds = keyBounds(stream, window);
    const tiles = attentionTiles(stream.cu_seqlens, tile.rows, window);
    inputs.push({ slot: boundsOf(window), data: bounds }, { slot: tilesOf(window), data: tileWords(tiles) });
    let pairs = 0;
    for (let i = 0; i < bounds.length; i += 2) pairs += bounds[i + 1] - bounds[i];
    const issuedPairs = tiles.reduce((sum, { k_start, k_end }) => sum + attentionPairs(k_end - k_start, tile), 0);
    attention.set(window, { tokens, tiles: tiles.length, pairs, issuedPairs });
  }
  const longest = stream.positions.reduce((most, position) => Math.max(most, position + 1), 0);
  return { sizes: { tokens, longest, attention }, inputs };
}
