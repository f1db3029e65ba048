import type { Candidate, FillMaskOptions, MaskResult, Tokens } from '../api/calls';
import { ModelFileError } from '../api/errors';
import { CALL_OPTIONS, type OptionNames } from '../api/options';
import { tokenLogits } from '../model/heads/logits';
import { topK as topKHead } from '../model/heads/top-k';
import { type Call, oneOrMany } from './call';
import { byScore, checkFilled, checkText, checkTopK, encode, type Parts, softmax, tokenizerOf } from './common';

const OPTIONS: OptionNames<FillMaskOptions> = { ...CALL_OPTIONS, topK: true, targets: true, sequences: true };

export const fillMask: Call = { task: 'mlm', options: OPTIONS, run: oneOrMany(fillTexts) };

async function fillTexts(parts: Parts, texts: string[], options: FillMaskOptions = {}): Promise<MaskResult[][]> {
  const { config, submit, where } = parts;
  const { signal, onProgress, topK = 5, targets, sequences = false } = options;
  checkTopK(topK, config.vocab_size);
  if (targets) {
    checkFilled(targets, 'targets');
    for (const [t, target] of targets.entries()) checkText(target, `Target ${t}`);
  }
  const tokenizer = tokenizerOf(parts);
  const { maskTokenId, maskToken } = tokenizer;
  if (maskTokenId === undefined) throw new ModelFileError(`The tokenizer of ${where} has no mask token.`);
  const idsOf = targets && targetIds(parts, targets);
  const head = idsOf ? tokenLogits : topKHead(topK);

  const results: MaskResult[][] = [];
  const items = await encode(parts, texts, options, (tokens, i) => {
    const { ids, offsets } = tokens;
    const rows = Uint32Array.from(ids.keys()).filter((row) => ids[row] === maskTokenId);
    if (rows.length === 0) {
      if (!texts[i].includes(maskToken!)) {
        throw new RangeError(`Text ${i} has no ${maskToken}: there is nothing to fill.`);
      }
      results[i] = []; // truncated before its mask
      return { wanted: [] };
    }
    const wordIds = idsOf && Array.from(rows, (row) => idsOf(tookSpace(tokens, row)));
    const places = Array.from(rows, (row) => offsets[row]);
    return {
      wanted: [
        {
          head,
          rows,
          deliver(data, width) {
            results[i] = Array.from(rows, (row, m) => {
              const own = data.subarray(m * width, (m + 1) * width);
              const scores = wordIds ? scoresOf(own, wordIds[m], topK) : bestOf(own);
              const [start, end] = places[m];
              const candidates = scores.map(({ tokenId, score }): Candidate => {
                const token = tokenizer.decodeToken(tokenId);
                return { token, tokenId, score, ...(sequences && { sequence: filled(texts[i], start, end, token) }) };
              });
              return { index: row, start, end, candidates };
            });
          },
        },
      ],
    };
  });
  await submit(
    items.filter(({ wanted }) => wanted.length > 0),
    { signal, onProgress },
  );
  return results;
}

type Scores = { tokenId: number; score: number }[];

/** The top_k head's answer for one row: pairs of a token id, as bits, and its probability. */
function bestOf(pairs: Float32Array): Scores {
  const words = new Uint32Array(pairs.buffer, pairs.byteOffset, pairs.length);
  return Array.from({ length: pairs.length / 2 }, (_, c) => ({ tokenId: words[2 * c], score: pairs[2 * c + 1] }));
}

function scoresOf(logits: Float32Array, ids: number[], topK: number): Scores {
  const scores = softmax(logits);
  return ids
    .map((tokenId) => ({ tokenId, score: scores[tokenId] }))
    .sort(byScore)
    .slice(0, topK);
}

/** Whether the mask token includes the whitespace before it, so that its candidates begin with a space ("ĠParis"). */
const tookSpace = ({ offsets }: Tokens, row: number): boolean => offsets[row][0] > (offsets[row - 1]?.[1] ?? 0);

/** The targets' token ids, with or without a space before them; looked up on first use. */
function targetIds(parts: Parts, targets: string[]): (spaced: boolean) => number[] {
  const known = new Map<boolean, number[]>();
  const find = (spaced: boolean): number[] => {
    const ids = targets.map((target) => {
      const { ids, offsets, tokens } = tokenizerOf(parts).encode(spaced && !/^\s/.test(target) ? ` ${target}` : target);
      const own = [...ids.keys()].filter((i) => offsets[i][1] > 0);
      if (own.length === 1) return ids[own[0]];
      throw new RangeError(
        `The target '${target}' is ${own.length} tokens (${own.map((i) => tokens[i]).join(' ')}); a mask stands for one token. Leave it out.`,
      );
    });
    return [...new Set(ids)];
  };
  return (spaced) => {
    const ids = known.get(spaced) ?? find(spaced);
    known.set(spaced, ids);
    return ids;
  };
}

/** The text with a mask replaced by a token. If the text has a space before the mask, the token's own leading space is dropped. */
function filled(text: string, start: number, end: number, token: string): string {
  const before = text.slice(0, start);
  return before + (/(^|\s)$/.test(before) ? token.trimStart() : token) + text.slice(end);
}
