import type { App } from '../app';
import { element, find } from '../dom';
import { linesOf } from '../lines';
import { nearestRows, type Vectors } from '../map/vectors';
import { EMBEDDERS } from '../models/built-in';
import { type Answer, createComparison } from '../models/compare-models';
import type { ModelPicker } from '../models/model-picker';
import { count } from '../numbers';
import { cosines } from './geometry';
import { pairsOf, spearman } from './rank-agreement';

/** All pairs of more texts, and a row for each, would be too much to read. */
const MOST = 200;

interface Embedded extends Vectors {
  texts: string[];
  /** Cosines of all pairs, [texts, texts]. */
  all: Float32Array;
}

/** Which text is nearest to each by either of two models, and how far their orders of all pairs agree. */
export function compareModels(places: { intro: HTMLElement; work: HTMLElement }, app: App, first: ModelPicker): void {
  const field = find<HTMLTextAreaElement>(places.work.closest('.panel') ?? document, '#texts');
  createComparison<Embedded>(places, app, first, {
    picker: { use: 'embeddings', builtIn: [...EMBEDDERS].reverse() },
    label: 'Ask both models',
    asked: () => field.value,
    prepare() {
      const texts = linesOf(field.value);
      if (texts.length < 3) throw new Error('Write at least three texts, one per line: each has a nearest one then.');
      if (texts.length > MOST) {
        throw new Error(`${count(texts.length)} texts are too many to compare two models by: up to ${MOST} can be.`);
      }
      return async (model, signal) => {
        const { data, rows, dim } = await model.embed(texts, { signal, truncate: true });
        return { data, rows, dim, texts, all: cosines(data, rows, dim) };
      };
    },
    show: (one, other) => [element('p', { ariaLive: 'polite' }, summary(one.value, other.value)), table(one, other)],
  });
}

const nearest = (embedded: Embedded, i: number) => nearestRows(embedded, i, 1)[0];

function summary(one: Embedded, other: Embedded): string {
  const rows = one.texts.length;
  const same = one.texts.filter((_, i) => nearest(one, i).j === nearest(other, i).j).length;
  const rho = spearman(pairsOf(one.all, rows), pairsOf(other.all, rows));
  const order =
    rho === undefined ? '' : ` Their orders of all pairs agree by ${rho.toFixed(2)} (Spearman; 1: the same).`;
  return `The same nearest text for ${same} of ${rows} texts.${order}`;
}

function table(one: Answer<Embedded>, other: Answer<Embedded>): HTMLElement {
  const { texts } = one.value;
  const head = ['Text', ...[one, other].map(({ name }) => `Nearest by ${name}`)].map((text) =>
    element('th', { scope: 'col' }, text),
  );
  const rows = texts.map((text, i) => {
    const found = [one, other].map(({ value }) => nearest(value, i));
    const cells = found.map(({ j, cosine }, column) => {
      const cell = element('td', {}, `${texts[j]} (${cosine.toFixed(2)})`);
      cell.dataset.model = [one, other][column].name;
      return cell;
    });
    const row = element('tr', {}, element('th', { scope: 'row' }, text), ...cells);
    row.classList.toggle('agrees', found[0].j === found[1].j);
    return row;
  });
  return element('table', {}, element('thead', {}, element('tr', {}, ...head)), element('tbody', {}, ...rows));
}
