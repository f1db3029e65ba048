/** Entities from GLiNER's scores (the library gliner, decoding/decoder.py). */
/** First and last word, and the label's index. */
export interface Span {
  first: number;
  last: number;
  label: number;
  score: number;
}

/** GLiNER's sigmoid in f32, where scores near 1 are equal: the first of these then wins. */
const probability = (logit: number): number => Math.fround(1 / Math.fround(1 + Math.fround(Math.exp(-logit))));

/** Spans above the threshold. `logits`: [words, widths, stride], of which the first `labels` numbers of a row count. */
export function scoredSpans(
  logits: Float32Array,
  { words, widths, stride, labels }: { words: number; widths: number; stride: number; labels: number },
  threshold: number,
): Span[] {
  const spans: Span[] = [];
  for (let first = 0; first < words; first++) {
    for (let last = first; last < Math.min(words, first + widths); last++) {
      for (let label = 0; label < labels; label++) {
        const score = probability(logits[(first * widths + last - first) * stride + label]);
        if (score > threshold) spans.push({ first, last, label, score });
      }
    }
  }
  return spans;
}

/** Spans that start and end, and are inside all along, above the threshold; their score is the least of these. `logits`: [words, stride, 3]. */
export function taggedSpans(
  logits: Float32Array,
  { words, stride, labels }: { words: number; stride: number; labels: number },
  threshold: number,
): Span[] {
  const at = (word: number, label: number, part: number) => probability(logits[(word * stride + label) * 3 + part]);
  const spans: Span[] = [];
  for (let first = 0; first < words; first++) {
    for (let label = 0; label < labels; label++) {
      let least = at(first, label, 0);
      if (!(least > threshold)) continue;
      for (let last = first; last < words; last++) {
        const inside = at(last, label, 2);
        if (inside < threshold) break;
        least = Math.min(least, inside);
        const end = at(last, label, 1);
        if (end > threshold) spans.push({ first, last, label, score: Math.min(least, end) });
      }
    }
  }
  return spans;
}

/** Of spans that may not both stand the better one, best first; then in the order of the text (greedy_search). */
export function greedy(spans: Span[], { flat, multiLabel }: { flat: boolean; multiLabel: boolean }): Span[] {
  const kept: Span[] = [];
  for (const span of [...spans].sort((a, b) => b.score - a.score)) {
    if (!kept.some((other) => areRivals(span, other))) kept.push(span);
  }
  return kept.sort((a, b) => a.first - b.first);

  function areRivals(a: Span, b: Span): boolean {
    if (a.first === b.first && a.last === b.last) return !multiLabel;
    if (a.first > b.last || b.first > a.last) return false;
    const areNested = (a.first <= b.first && a.last >= b.last) || (b.first <= a.first && b.last >= a.last);
    return flat || !areNested;
  }
}
