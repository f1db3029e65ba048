/** BPE, Unigram and WordPiece, as in tokenizers/src/models. Each returns the tokens of a pre-token, in about linear time. */
import { MOST } from '../formats/json-fields';
import type { TokenizerModel } from './files';
import { longestAt, nodeOf, type Trie } from './trie';
import { unitsAt } from './unicode';

type Kind<T extends TokenizerModel['type']> = Extract<TokenizerModel, { type: T }>;

export type Tokenize = (word: string) => string[];

export function createModel(model: TokenizerModel): Tokenize {
  if (model.type === 'BPE') return bpe(model);
  return model.type === 'Unigram' ? unigram(model) : wordPiece(model);
}

/** What a character outside the vocabulary becomes: its bytes as tokens, if the model has them all. */
function byteTokens({ byte_fallback, vocab }: TokenizerModel, text: string): string[] | undefined {
  if (!byte_fallback) return undefined;
  const tokens = Array.from(
    new TextEncoder().encode(text),
    (byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`,
  );
  return tokens.every((token) => vocab.has(token)) ? tokens : undefined;
}

/** Symbols of a word that is merged without a queue. */
const SHORT = 24;
/** A place in the queue is rank * PLACES + position: the lowest rank first, of equal ones the leftmost. */
const PLACES = 2 ** 27;

function bpe(model: Kind<'BPE'>): Tokenize {
  const { vocab, tokens, merges, unk_id, fuse_unk, ignore_merges } = model;
  const ranks = new Map<number, number>();
  for (const [rank, [left, right]] of merges.entries()) ranks.set(left * MOST + right, rank);

  /** Of every character, or its bytes. An unknown one waits for the next that is known (also behind bytes, as in Rust); without a token it goes. */
  const symbolsOf = (word: string): number[] => {
    const symbols: number[] = [];
    let waits = false;
    const end = () => {
      if (waits && unk_id !== undefined) symbols.push(unk_id);
      waits = false;
    };
    for (const character of word) {
      const id = vocab.get(character);
      const bytes = id === undefined ? byteTokens(model, character) : undefined;
      if (bytes) for (const byte of bytes) symbols.push(vocab.get(byte)!);
      if (bytes || (id === undefined && fuse_unk && waits)) continue;
      end();
      if (id === undefined) waits = true;
      else symbols.push(id);
    }
    end();
    return symbols;
  };

  /** The same as `mergeLong`, soon done for few symbols. */
  const mergeShort = (ids: number[]): void => {
    const rankAt = (i: number) => ranks.get(ids[i] * MOST + ids[i + 1]) ?? Infinity;
    const pairs = ids.map((_, i) => rankAt(i));
    for (;;) {
      let i = 0;
      for (let at = 1; at < pairs.length; at++) if (pairs[at] < pairs[i]) i = at;
      if (!(pairs[i] < Infinity)) return;
      ids[i] = merges[pairs[i]][2];
      ids.splice(i + 1, 1);
      pairs.splice(i + 1, 1);
      pairs[i] = rankAt(i);
      if (i > 0) pairs[i - 1] = rankAt(i - 1);
    }
  };

  const mergeLong = (ids: number[]): void => {
    // -1 is merged into its left
    const count = ids.length;
    const left = Int32Array.from({ length: count + 1 }, (_, i) => i - 1);
    const right = Int32Array.from({ length: count }, (_, i) => i + 1);
    const queue = createQueue();
    const rankAt = (i: number) =>
      right[i] < count && ids[i] >= 0 && ids[right[i]] >= 0 ? ranks.get(ids[i] * MOST + ids[right[i]]) : undefined;
    const push = (i: number) => {
      const rank = i < 0 ? undefined : rankAt(i);
      if (rank !== undefined) queue.push(rank * PLACES + i);
    };
    for (let i = 0; i < count; i++) push(i);
    for (let key = queue.pop(); key !== undefined; key = queue.pop()) {
      const [rank, i] = [Math.floor(key / PLACES), key % PLACES];
      if (rankAt(i) !== rank) continue; // a neighbour was merged meanwhile
      ids[right[i]] = -1;
      ids[i] = merges[rank][2];
      right[i] = right[right[i]];
      left[right[i]] = i;
      push(left[i]);
      push(i);
    }
    let end = 0;
    for (let i = 0; i < count; i = right[i]) ids[end++] = ids[i];
    ids.length = end;
  };

  return (word) => {
    if (ignore_merges && vocab.has(word)) return [word];
    const ids = symbolsOf(word);
    (ids.length > SHORT ? mergeLong : mergeShort)(ids);
    return ids.map((id) => tokens.get(id)!);
  };
}

/** A binary heap of numbers, the smallest first. */
function createQueue() {
  const heap: number[] = [];
  return {
    push(key: number): void {
      let at = heap.push(key) - 1;
      for (let above = (at - 1) >> 1; at > 0 && heap[above] > key; above = (at - 1) >> 1) {
        heap[at] = heap[above];
        at = above;
      }
      heap[at] = key;
    },
    pop(): number | undefined {
      const first = heap[0];
      const key = heap.pop();
      if (key === undefined || heap.length === 0) return first;
      let at = 0;
      for (;;) {
        let below = 2 * at + 1;
        if (below + 1 < heap.length && heap[below + 1] < heap[below]) below++;
        if (below >= heap.length || heap[below] >= key) break;
        heap[at] = heap[below];
        at = below;
      }
      heap[at] = key;
      return first;
    },
  };
}

/** The best path by Viterbi, of equal ones that of the longer last token. Runs of unknown characters come as they are, as one token. */
function unigram(model: Kind<'Unigram'>): Tokenize {
  const { vocab, scores, unk_id } = model;
  const unknownScore = scores.reduce((a, b) => Math.min(a, b)) - 10;
  const root: Trie<number> = {};
  for (const [piece, id] of vocab) {
    if (piece !== '') nodeOf(root, piece).value = id === unk_id ? unknownScore : scores[id];
  }

  return (word) => {
    const best = new Float64Array(word.length + 1);
    const from = new Int32Array(word.length + 1).fill(-1);
    const isUnknown = new Uint8Array(word.length + 1);
    const add = (at: number, end: number, score: number, unknown: boolean) => {
      if (from[end] >= 0 && best[at] + score <= best[end]) return;
      best[end] = best[at] + score;
      from[end] = at;
      isUnknown[end] = Number(unknown);
    };
    for (let at = 0; at < word.length; at += unitsAt(word, at)) {
      const character = at + unitsAt(word, at);
      let node = root.next?.get(word.charCodeAt(at));
      let hasCharacter = false;
      for (let end = at + 1; node !== undefined; end++) {
        if (node.value !== undefined) {
          add(at, end, node.value, node.value === unknownScore);
          hasCharacter ||= end === character;
        }
        node = node.next?.get(word.charCodeAt(end));
      }
      if (!hasCharacter) add(at, character, unknownScore, true);
    }
    const pieces: string[] = [];
    for (let end = word.length; end > 0; ) {
      let at = from[end];
      if (isUnknown[end]) while (at > 0 && isUnknown[at]) at = from[at];
      const piece = word.slice(at, end);
      const bytes = isUnknown[end] && !vocab.has(piece) ? byteTokens(model, piece)?.reverse() : undefined;
      for (const token of bytes ?? [piece]) pieces.push(token);
      end = at;
    }
    return pieces.reverse();
  };
}

/** The longest token first; a word with a part that no token spells is one unknown token. */
function wordPiece(model: Kind<'WordPiece'>): Tokenize {
  const { vocab, unk_token = '', continuing_subword_prefix, max_input_chars_per_word } = model;
  const root: Trie<string> = {};
  for (const token of vocab.keys()) nodeOf(root, token).value = token;
  const continued = nodeOf(root, continuing_subword_prefix);
  return (word) => {
    if (word.length > max_input_chars_per_word && [...word].length > max_input_chars_per_word) return [unk_token];
    const pieces: string[] = [];
    for (let at = 0; at < word.length; ) {
      const match = longestAt(at > 0 ? continued : root, word, at);
      if (!match) return [unk_token];
      pieces.push(match.value);
      at = match.end;
    }
    return pieces;
  };
}
