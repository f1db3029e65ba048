import type { App } from '../app';
import { EMBEDDERS } from '../built-in';
import { offerComparison } from '../compare-button';
import { find, staleNote } from '../dom';
import '../drop-zone.css';
import { keyScroll } from '../key-scroll';
import { count } from '../numbers';
import { createRunButton } from '../run-button';
import { saveFile } from '../save-file';
import { statusLine } from '../status-line';
import { countTokens } from '../token-counter';
import { callWorker } from '../worker-call';
import { startCalculator } from './calculator';
import { createEmbedOptions } from './embed-options';
import './embeddings.css';
import './heatmap.css';
import { closestPair } from './geometry';
import { heatImage } from './heat-image';
import { heatmap } from './heatmap';
import { createMapPart } from './map-part';
import { npy } from './npy';
import html from './panel.html?raw';
import type { Result } from './result';
import { createTexts } from './texts';
import type { Calculator } from './worker';

/** So few texts are compared in a table, however narrow the page is, and more where it fits; others in an image. */
const TABLE_LEAST = 6;
const TABLE_MOST = 40;
/** All pairs of more texts take too much memory. */
const MOST = 2000;

/** The tab that compares texts. Its model is loaded when it is first needed. */
export function start(panel: HTMLElement, app: App): void {
  panel.innerHTML = html;
  const form = find<HTMLFormElement>(panel, 'form');
  const field = find<HTMLTextAreaElement>(panel, '#texts');
  const button = find<HTMLButtonElement>(panel, '#compare');
  const status = find(panel, '.status');
  const resultsPlace = find(panel, '#embeddings-results');
  const showStale = staleNote(resultsPlace, 'Press Compare for new results.');
  let result: Result | undefined;
  const outdate = () => showStale(result !== undefined);

  const picker = app.picker(find(panel, '.model-place'), {
    builtIn: EMBEDDERS,
    use: 'embeddings',
    onChange() {
      texts.recount();
      options.update(picker.name(), picker.current());
      if (result && picker.name() !== result.model) outdate();
    },
  });
  offerComparison(find(panel, '.model-place'), app, picker, () => import('./compare-models'));
  const readState = () => {
    field.value = app.state.get('texts') ?? field.value;
  };
  readState();
  const texts = createTexts(panel, button, picker.current, outdate);
  const options = createEmbedOptions(panel, app.state);
  find(panel, '#embed-options').addEventListener('change', outdate);
  const mapPart = createMapPart(find(panel, '#map-part'), app.state);
  app.state.onChange(() => {
    readState();
    outdate();
    texts.recount();
    options.update(picker.name(), picker.current());
  });
  field.addEventListener('input', () => app.state.keep('texts', field.value));
  field.addEventListener('focus', picker.load, { once: true });

  createRunButton(form, button, { error: find(panel, '#run-error'), status }, (signal, progress) =>
    picker.use(signal, async (model) => {
      const items = await texts.items(model, signal);
      if (items.length > MOST) {
        throw new Error(`${count(items.length)} texts are too many to compare all pairs: up to ${count(MOST)} can be.`);
      }
      const inputs = items.map(({ text }) => text);
      const { total } = await countTokens(model, inputs);
      const before = performance.now();
      const { prompt, dimensions } = options.get();
      const embeddings = await model.embed(inputs, {
        signal,
        prompt,
        dimensions,
        truncate: texts.truncate(),
        onProgress: ({ done }) => progress.show({ what: 'Embedding', done, total: items.length, unit: 'text' }),
      });
      const ms = performance.now() - before;
      const { data, rows, dim } = embeddings;
      const { all, order } = await callWorker<Calculator, { all: Float32Array; order: number[] }>(
        startCalculator,
        signal,
        (calculator) => calculator.compare(data, rows, dim),
      );
      status.textContent = statusLine(model, ms, total);
      result = { model: picker.name(), prompt, items, embeddings, all };
      resultsPlace.hidden = false;
      showStale(false);
      find(panel, '#json-note').textContent = `${count(rows)} × ${count(dim)} numbers`;
      showSimilarities(panel, result, order);
      void mapPart.show(result);
    }),
  );
  wireDownloads(panel, () => result);
  keyScroll(find(panel, '#heatmap'));
}

function showSimilarities(panel: HTMLElement, { items, embeddings: { rows }, all }: Result, order: number[]) {
  const texts = items.map(({ text }) => text);
  const place = find(panel, '#heatmap');
  if (rows <= TABLE_MOST) place.replaceChildren(heatmap(texts, all));
  const isShort = rows <= TABLE_LEAST || (rows <= TABLE_MOST && place.scrollWidth <= place.clientWidth);
  if (!isShort) place.replaceChildren(heatImage(texts, all, order));
  const pair = closestPair(all, rows);
  find(panel, '#closest').textContent = !pair
    ? ''
    : isShort
      ? `Closest: ${pair.i + 1} and ${pair.j + 1}, cosine ${pair.cosine.toFixed(2)}.`
      : `Closest, with a cosine of ${pair.cosine.toFixed(2)}: “${texts[pair.i].slice(0, 120)}” and “${texts[pair.j].slice(0, 120)}”.`;
}

function wireDownloads(panel: HTMLElement, latest: () => Result | undefined) {
  const note = find(panel, '#json-note');
  async function json(): Promise<Blob> {
    const result = latest();
    if (!result) throw new Error('Compare some texts first.');
    const { model, prompt, items, embeddings } = result;
    const { data, rows, dim } = embeddings;
    const facts = { model, prompt, dim, texts: items.map(({ text }) => text) };
    const text = await callWorker<Calculator, string>(startCalculator, new AbortController().signal, (calculator) =>
      calculator.json(facts, data, rows, dim),
    );
    return new Blob([text], { type: 'application/json' });
  }
  find(panel, '#copy-json').addEventListener('click', async () => {
    try {
      // A promise, so that the browser knows it for the answer to the click.
      const text = json().then((blob) => new Blob([blob], { type: 'text/plain' }));
      await navigator.clipboard.write([new ClipboardItem({ 'text/plain': text })]);
      note.textContent = 'Copied.';
    } catch {
      note.textContent = 'The browser did not allow copying. Download the file instead.';
    }
  });
  find(panel, '#download-json').addEventListener('click', async () => {
    try {
      saveFile('embeddings.json', await json());
    } catch (error) {
      note.textContent = (error as Error).message;
    }
  });
  find(panel, '#download-npy').addEventListener('click', () => {
    const embeddings = latest()?.embeddings;
    if (!embeddings) return;
    const { data, rows, dim } = embeddings;
    saveFile('embeddings.npy', new Blob([npy(data, rows, dim)], { type: 'application/octet-stream' }));
  });
}
