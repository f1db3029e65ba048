import type { IndexHit } from '../../src/search';
import { element, find } from '../dom';
import { highlight } from './highlight';
import type { Judged, Judgement } from './judge';
import type { Section } from './sections';
import { sentenceStart, wholeSentences } from './sentences';

/** Characters that are shown before and after a passage. */
const AROUND = 10_000;

/** Characters that a phone shows before the sentence of the first word that was found. */
const LEAD = 120;

export type Hit = IndexHit<Section>;

/** One hit as a list item. */
export function passageItem(
  { hit, judgement }: Judged,
  query: string,
  on: { open(): void; more(): void },
): HTMLLIElement {
  const { metadata, similarity } = hit;
  const title = titleOf(hit);
  const open = element('button', { type: 'button', ariaLabel: `Open in context: ${title}` }, 'Open in context');
  open.addEventListener('click', on.open);
  const more = element('button', { type: 'button', ariaLabel: `More like this: ${title}` }, 'More like this');
  more.addEventListener('click', on.more);
  const sentences = wholeSentences(hit.text, hit.passage ?? { start: 0, end: hit.text.length });
  const text = sentences.replace(/\n\s*\n/g, '\n'); // without the empty lines between paragraphs
  return element(
    'li',
    {},
    element(
      'div',
      { className: 'head' },
      element('h3', {}, title),
      ...(metadata.place ? [element('span', { className: 'count' }, metadata.file)] : []),
      ...(similarity === undefined && !judgement ? [] : [relevance(similarity, judgement)]),
    ),
    element('p', { className: 'text' }, ...marked(text, query)),
    element('div', { className: 'row' }, open, more),
  );
}

/** A passage's text with the query's words marked. What a phone, which shows few lines, leaves out before the first of them is by itself. */
function marked(text: string, query: string): (Node | string)[] {
  const [first, ...others] = highlight(text, query);
  if (!first) return [];
  const lead = first.match || others.length === 0 ? 0 : sentenceStart(text, first.text.length);
  const pieces = [{ ...first, text: first.text.slice(lead > LEAD ? lead : 0) }, ...others].map(({ text, match }) =>
    match ? element('mark', {}, text) : text,
  );
  if (lead <= LEAD) return pieces;
  const cut = element('span', { className: 'lead-cut', ariaHidden: 'true' }, '… ');
  return [element('span', { className: 'lead' }, text.slice(0, lead)), cut, ...pieces];
}

export const passageText = ({ text, passage }: Hit): string => text.slice(passage?.start, passage?.end);

const titleOf = ({ metadata: { file, place } }: Hit): string => place || file;

/** What is said of a passage, with a bar as long as its cosine. */
function relevance(similarity: number | undefined, name: Judgement | undefined): HTMLElement {
  const said = element('span', { className: `relevance ${name === 'likely' ? name : ''}` });
  if (similarity !== undefined) {
    const bar = element('span', { className: 'relevance-bar', ariaHidden: 'true' });
    bar.style.setProperty('--share', String(Math.max(0, Math.min(1, similarity))));
    said.title = `Cosine of query and passage: ${similarity.toFixed(2)}`;
    said.append(bar);
  }
  said.append(name ?? `cosine ${similarity?.toFixed(2)}`); // hits by meaning and by words are not in the cosine's order
  return said;
}

/** Shows the file of a hit in the dialog with the passage marked. `sections`: all of the index. */
export function showContext(
  dialog: HTMLDialogElement,
  { metadata: { file, place, start: begin }, passage, text: own }: Pick<Hit, 'metadata' | 'passage' | 'text'>,
  sections: Iterable<{ text: string; metadata: Section }>,
): void {
  const parts = [...sections].filter(({ metadata }) => metadata.file === file);
  const text = parts
    .sort((a, b) => a.metadata.start - b.metadata.start)
    .map((part) => part.text)
    .join('');
  const start = begin + (passage?.start ?? 0);
  const end = begin + (passage?.end ?? own.length);
  const from = Math.max(0, start - AROUND);
  const to = Math.min(text.length, end + AROUND);
  const marked = element('mark', {}, text.slice(start, end));
  const shown = find(dialog, '.context-text');
  find(dialog, 'h3').textContent = place ? `${file}, ${place}` : file;
  shown.replaceChildren(
    (from > 0 ? '…' : '') + text.slice(from, start),
    marked,
    text.slice(end, to) + (to < text.length ? '…' : ''),
  );
  shown.tabIndex = 0; // so that keys scroll it
  dialog.showModal();
  shown.focus();
  marked.scrollIntoView({ block: 'center' });
}
