// What the tab shows, for other programs: loaded when it is first wanted.
import type { MaskResult } from '../../src/index';
import type { Choice } from '../models/model-store';
import { csvFile, jsonFile } from '../take-away/save-file';
import { commandLine, quoted, snippet } from '../take-away/snippets';
import type { Snippets } from '../take-away/take-away';
import { bitsOf, likelihoodOf } from './likelihood';
import type { ScoredWord } from './surprise';

/** What the tab was asked and what came of it. */
export type Result =
  | { mode: 'fill'; text: string; masks: MaskResult[] }
  | { mode: 'surprise' | 'compare'; texts: string[]; words: ScoredWord[][] };

export function fillCode(choice: Choice, text: string, topK: number, targets: string[]): Snippets {
  const asked = targets.length > 0 ? `topK: ${targets.length}, targets: ${JSON.stringify(targets)}` : `topK: ${topK}`;
  const options =
    targets.length > 0
      ? ['--top-k', String(targets.length), '--targets', targets.join(',')]
      : ['--top-k', String(topK)];
  return {
    typescript: snippet(
      [],
      choice,
      `
const masks = await model.fillMask(${quoted(text)}, { ${asked} });
for (const { candidates } of masks) console.table(candidates);`,
    ),
    shell: commandLine('fill-mask', choice, [{ text }], options),
  };
}

/** Lines that score texts as the tab does, but for its cutting of long texts to what is near a word. */
export const scoreCode = (choice: Choice, texts: string[]): Snippets => ({
  typescript: snippet(
    [],
    choice,
    `
const maskToken = model.info.maskToken!;
const mask = await model.tokenize(maskToken);
const maskId = mask.ids[mask.tokens.indexOf(maskToken)];
for (const text of ${JSON.stringify(texts)}) {
  const { ids, tokens, offsets } = await model.tokenize(text);
  const words = [...new Intl.Segmenter('und', { granularity: 'word' }).segment(text)];
  const wordOf = ([, end]: [number, number]) => words.findLastIndex(({ index }) => index < end); // -1: a special token
  let total = 0;
  for (const [row, id] of ids.entries()) {
    const word = wordOf(offsets[row]);
    if (word < 0 || id === maskId) continue;
    // The token and the later ones of its word are hidden.
    const inputIds = ids.map((other, i) => (i >= row && wordOf(offsets[i]) === word ? maskId : other));
    const input = { inputIds, lengths: Uint32Array.of(ids.length) };
    const { logits } = await model.forward(input, { outputs: ['logits'], rows: [row] });
    const { data } = logits!;
    const highest = data.reduce((a, b) => Math.max(a, b));
    const sum = data.reduce((sum, logit) => sum + Math.exp(logit - highest), 0);
    const bits = (Math.log(sum) + highest - data[id]) / Math.LN2;
    total += bits;
    console.log(tokens[row], bits.toFixed(2));
  }
  console.log(text, \`\${total.toFixed(2)} bits\`);
}`,
  ),
});

/** A row per candidate. */
const candidateRows = (masks: MaskResult[]) =>
  masks.flatMap(({ start, candidates }, i) =>
    candidates.map(({ token, score }, rank) => ({ mask: i + 1, start, rank: rank + 1, token, probability: score })),
  );

/** A row per word or, with `isWord` false, token in no word. */
const wordRows = (text: string, words: ScoredWord[], i: number) =>
  [...words]
    .sort((a, b) => a.start - b.start)
    .map((word) => ({
      text: i + 1,
      start: word.start,
      word: text.slice(word.start, word.end).trim(),
      isWord: String(word.isWord),
      tokens: word.tokens.length,
      bits: bitsOf(word),
    }));

export const jsonOf = (result: Result): unknown =>
  result.mode === 'fill'
    ? { text: result.text, masks: result.masks }
    : result.texts.map((text, i) => ({
        text,
        ...likelihoodOf(result.words[i]),
        parts: result.words[i].map(({ start, end, isWord, bits }) => ({
          text: text.slice(start, end),
          start,
          end,
          isWord,
          bits,
        })),
      }));

export const rowsOf = (result: Result): Record<string, string | number>[] =>
  result.mode === 'fill'
    ? candidateRows(result.masks)
    : result.texts.flatMap((text, i) => wordRows(text, result.words[i], i));

export const jsonBlob = (result: Result): Blob => jsonFile(jsonOf(result));
export const csvBlob = (result: Result): Promise<Blob> => csvFile(rowsOf(result));
