// How the measurement is made, in a few paragraphs under the fold.
import { element } from '../dom';
import { count, plural } from '../numbers';
import { type Measured, PAGE_TOKENS, PAGES } from './measure';
import { REFERENCES } from './references';
import { MODEL, type Ran } from './report';

/** With a measurement also its own figures. */
export function measureNotes(found?: { measured: Measured; ran: Ran }): HTMLElement[] {
  const words = found ? found.measured.page.words : 'about 420';
  const general = `To embed a text is to turn it into numbers that say what it means. A page is ${PAGE_TOKENS} tokens of English, here ${words} words. The model is ${MODEL}, which has 8 million parameters; a larger one takes longer.`;
  const others = `The first run of each kind sets up, and counts only where it is the only one. “Beside other devices” compares the encoder alone, from token ids, as the runs below did: a model of ${MODEL}'s shape, weights in f16, documents of ${PAGE_TOKENS} tokens. Every step of its scale is ten times the one before.`;
  const files = REFERENCES.map(
    ({ device, arithmetic, runtime, date, commit, file }) =>
      `${device}, arithmetic in ${arithmetic}: ${runtime}, ${date}, commit ${commit.slice(0, 7)}, bench/results/${file}`,
  );
  return [
    ...[general, ...(found ? ownNotes(found.measured, found.ran) : []), others].map((textContent) =>
      element('p', { textContent }),
    ),
    element('ul', {}, ...files.map((textContent) => element('li', { textContent }))),
  ];
}

function ownNotes({ text, ids, query, document }: Measured, ran: Ran): string[] {
  const runs = ({ runs_ms }: { runs_ms: number[] }) =>
    runs_ms.length === 1 ? 'one run' : `the median of ${runs_ms.length} runs`;
  const speed = (tokens_per_s: number) => `${count(Math.round(tokens_per_s))} tokens per second`;
  const long = document ? ` The long document: ${runs(document)}.` : '';
  return [
    `${plural(text.pages, 'page')} in one call took ${count(Math.round(text.median_ms))} ms (${runs(text)}), ${speed(text.tokens_per_s)}. The time of ${plural(PAGES, 'page')} is ${(PAGES / text.pages).toLocaleString('en', { maximumFractionDigits: 1 })} times that: it was not measured, and assumes that time grows with the number of pages.`,
    `From token ids: ${speed(ids.tokens_per_s)} (${runs(ids)}). The query has ${query.tokens} tokens (${runs(query)}).${long} ${ran.model} had its weights in ${ran.dtype} and computed in ${ran.arithmetic} on ${ran.adapter}.`,
  ];
}
