import type { App } from '../app';
import { find, staleNote } from '../dom';
import { EMBEDDERS } from '../models/built-in';
import { offerComparison } from '../models/compare-button';
import '../files/drop-zone.css';
import { keyScroll } from '../key-scroll';
import { linesOf } from '../lines';
import { MAP_MOST } from '../map/limits';
import { sameChoice } from '../models/model-store';
import { count } from '../numbers';
import { createRunButton } from '../run-button';
import { statusLine } from '../status-line';
import { createTakeAway } from '../take-away/take-away';
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
import html from './panel.html?raw';
import type { Result } from './result';
import { embedCode, resultFiles } from './take-away';
import { createTexts } from './texts';
import type { Calculator } from './worker';

/** So few texts are compared in a table, however narrow the page is, and more where it fits; others in an image. */
const TABLE_LEAST = 6;
const TABLE_MOST = 40;
/** All pairs of more texts take too much memory. */
const PAIRS_MOST = 2000;

/** The tab that compares texts. Its model is loaded when it is first needed. */
export function start(panel: HTMLElement, app: App): void {
  panel.innerHTML = html;
  const form = find<HTMLFormElement>(panel, 'form');
  const field = find<HTMLTextAreaElement>(panel, '#texts');
  const button = find<HTMLButtonElement>(panel, '#compare');
  const status = find(panel, '.status');
  const room = find(panel, '.answer-room');
  const resultsPlace = find(room, '#embeddings-results');
  const showStale = staleNote(resultsPlace, 'Press Compare for new results.');
  let result: Result | undefined;
  /** How often what results depend on, but for the model, was changed; and when the result was asked for. */
  let [changes, asked] = [0, 0];
  const showWhetherStale = () =>
    showStale(result !== undefined && (changes !== asked || !sameChoice(result.choice, picker.choice())));
  const outdate = () => {
    changes++;
    showWhetherStale();
  };

  const picker = app.picker(find(panel, '.model-place'), {
    builtIn: EMBEDDERS,
    use: 'embeddings',
    onChange() {
      texts.recount();
      options.update(picker.name(), picker.current());
      showWhetherStale();
    },
  });
  offerComparison(find(panel, '.model-place'), app, picker, () => import('./compare-models'));
  const readState = () => {
    field.value = app.state.get('texts') ?? field.value;
  };
  readState();
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

  const runButton = createRunButton(form, button, { error: find(panel, '#run-error'), status }, (signal, progress) => {
    room.classList.add('asked');
    // On a phone the answer comes below the field, on the same screen.
    if (matchMedia('(max-width: 40rem)').matches) {
      const isStill = matchMedia('(prefers-reduced-motion: reduce)').matches;
      find(panel, '#texts-label').scrollIntoView({ behavior: isStill ? 'instant' : 'smooth', block: 'start' });
    }
    const ran = picker.use(signal, async (model) => {
      await texts.read();
      const [before, choice] = [changes, picker.choice()];
      const own = { ...options.get(), truncate: texts.truncate() };
      const items = await texts.items(model, signal);
      if (items.length > MAP_MOST) {
        throw new Error(`${count(items.length)} texts are too many: up to ${count(MAP_MOST)} fit on the map.`);
      }
      const inputs = items.map(({ text }) => text);
      const { total } = await countTokens(model, inputs);
      const began = performance.now();
      const embeddings = await model.embed(inputs, {
        signal,
        ...own,
        onProgress: ({ done }) => progress.show({ what: 'Embedding', done, total: items.length, unit: 'text' }),
      });
      const ms = performance.now() - began;
      const { data, rows, dim } = embeddings;
      const pairs =
        rows > PAIRS_MOST
          ? undefined
          : await callWorker<Calculator, NonNullable<Result['pairs']>>(startCalculator, signal, (calculator) =>
              calculator.compare(data, rows, dim),
            );
      status.textContent = statusLine(model, ms, total);
      result = { choice, options: own, items, embeddings, pairs };
      asked = before;
      resultsPlace.hidden = false;
      showWhetherStale();
      find(panel, '#vectors-size').textContent = `${count(rows)} × ${count(dim)} numbers by ${choice.name}`;
      showSimilarities(panel, result);
      takeAway.update();
      void mapPart.show(result);
    });
    return ran.finally(() => room.classList.toggle('asked', result !== undefined));
  });
  const texts = createTexts(panel, runButton.block, picker.current, outdate);
  const takeAway = createTakeAway(find(panel, '.take-away'), app.state, {
    code: () =>
      result
        ? embedCode(
            result.choice,
            result.items.map(({ text }) => text),
            result.options,
          )
        : embedCode(picker.choice(), linesOf(field.value), { ...options.get(), truncate: texts.truncate() }),
    exports: () => (result ? resultFiles(result, mapPart) : []),
    texts: ['texts'],
  });
  keyScroll(find(panel, '#heatmap'));
}

function showSimilarities(panel: HTMLElement, { items, embeddings: { rows }, pairs }: Result) {
  const texts = items.map(({ text }) => text);
  const place = find(panel, '#heatmap');
  place.hidden = !pairs;
  if (!pairs) {
    find(panel, '#closest').textContent =
      `All pairs are compared for up to ${count(PAIRS_MOST)} texts; these are ${count(rows)}. Select one on the map to see its nearest.`;
    return;
  }
  const { all, order } = pairs;
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
