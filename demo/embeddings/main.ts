import type { Embeddings } from '../../src/index';
import type { App } from '../app';
import { find } from '../dom';
import { createRunButton } from '../run-button';
import { saveFile } from '../save-file';
import { statusLine } from '../status-line';
import { countTokens, createTokenCounter } from '../token-counter';
import './embeddings.css';
import { closestPair, heatmap, similarities } from './heatmap';
import html from './panel.html?raw';

/** Texts beyond this many are embedded but not drawn: a table of more helps nobody. */
const DRAWN = 40;

/** The panel that compares texts. Its model is loaded when it is first needed. */
export function start(panel: HTMLElement, app: App): void {
  panel.innerHTML = html;
  const form = find<HTMLFormElement>(panel, 'form');
  const field = find<HTMLTextAreaElement>(panel, '#texts');
  const button = find<HTMLButtonElement>(panel, '#compare');
  const results = find(panel, '#embeddings-results');
  const note = find(panel, '#json-note');
  const status = find(panel, '.status');
  const texts = () => field.value.split('\n').filter((line) => line.trim() !== '');
  let json = '';

  const picker = app.picker(find(panel, '.model-place'), {
    builtIn: { name: 'nano-embed', source: './models/nano-embed' },
    onChange: () => recount(),
  });
  const recount = createTokenCounter(field, find(panel, '#texts-count'), button, picker.current, texts);
  field.addEventListener('focus', picker.load, { once: true });

  createRunButton(form, button, { error: find(form, '.error'), status }, async (signal) => {
    const lines = texts();
    if (lines.length === 0) throw new Error('Write at least one line of text.');
    await picker.use(signal, async (model) => {
      const { total } = await countTokens(model, lines);
      const before = performance.now();
      const embeddings = await model.embed(lines, { signal });
      status.textContent = statusLine(model, performance.now() - before, total);
      json = toJson(picker.name(), lines, embeddings);
      note.textContent = `${embeddings.rows} × ${embeddings.dim} numbers`;
      results.hidden = false;
      showSimilarities(panel, lines, embeddings);
    });
  });

  find(panel, '#copy-json').addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(json);
      note.textContent = 'Copied.';
    } catch {
      note.textContent = 'The browser did not allow copying. Download the file instead.';
    }
  });
  find(panel, '#download-json').addEventListener('click', () => {
    saveFile('embeddings.json', new Blob([json], { type: 'application/json' }));
  });
}

function showSimilarities(panel: HTMLElement, texts: string[], embeddings: Embeddings) {
  const rows = Math.min(embeddings.rows, DRAWN);
  const cosines = similarities({ rows, row: embeddings.row });
  const place = find(panel, '#heatmap');
  place.replaceChildren(heatmap(texts.slice(0, rows), cosines));
  const pair = closestPair(cosines);
  const closest = pair && `Closest: ${pair.i + 1} and ${pair.j + 1}, cosine ${pair.cosine.toFixed(2)}.`;
  const left = embeddings.rows > DRAWN && `The table shows the first ${DRAWN} of ${embeddings.rows} texts.`;
  find(panel, '#closest').textContent = [closest, left].filter(Boolean).join(' ');
  // Keys scroll only what has the focus.
  if (place.scrollWidth > place.clientWidth) place.tabIndex = 0;
  else place.removeAttribute('tabindex');
}

function toJson(model: string, texts: string[], { rows, dim, row }: Embeddings): string {
  const embeddings = Array.from({ length: rows }, (_, i) => [...row(i)]);
  return JSON.stringify({ model, dim, texts, embeddings });
}
