import { element } from '../dom';
import { smallest } from '../extremes';
import { keyScroll } from '../key-scroll';
import { percent, plural } from '../numbers';
import { type Confusion, confidence, confusion } from './cross-validation';
import type { Trained } from './worker';

/** Fewer examples of a class say little of how good a head is. */
const FEW = 10;
/** Examples that were taken for something else and are listed. */
const LISTED = 50;
/** Where black text on a cell's colour reads worse than white, or the other way round in the dark. */
const STRONG = 0.625;

/** What a head was trained on: `targets` are indices of `labels`, one a text. */
export interface TrainingSet {
  labels: string[];
  texts: string[];
  targets: number[];
}

/** How good a head is: accuracy, the confusion matrix, and which examples were taken for something else. */
export function trainingView({ labels, texts, targets }: TrainingSet, { folds, predicted }: Trained): HTMLElement[] {
  if (folds === 0) {
    const note = 'A class has a single example: how good the head is cannot be tested. Give every class at least two.';
    return [element('p', {}, note)];
  }
  const result = confusion(targets, predicted, labels.length);
  const wrong = targets.flatMap((target, i) =>
    predicted[i] === target ? [] : [`${texts[i]} (${labels[target]}, taken for ${labels[predicted[i]]})`],
  );
  return [
    summary(result, folds, targets.length),
    keyScroll(element('section', { className: 'table-scroll', ariaLabel: 'Confusion matrix' }, matrix(labels, result))),
    ...(wrong.length > 0 ? [mistakes(wrong)] : []),
  ];
}

function summary({ counts, accuracy }: Confusion, folds: number, examples: number): HTMLElement {
  const [low, high] = confidence(accuracy, examples).map((share) => percent(share, 0));
  const fewest = smallest(counts.map((row) => row.reduce((sum, n) => sum + n, 0)));
  return element(
    'p',
    { className: 'accuracy' },
    element('strong', {}, percent(accuracy, 0)),
    ` right in ${folds}-fold cross-validation: each example was classified by a head that had not seen it.`,
    ` With ${plural(examples, 'example')}, the true share may well be anywhere from ${low} to ${high}.`,
    fewest < FEW ? ` Classes of ${FEW} examples and more say it better.` : '',
  );
}

function matrix(labels: string[], { counts, precision, recall }: Confusion): HTMLTableElement {
  const table = element('table', { className: 'confusion' });
  table.createCaption().textContent = 'Rows: what an example is; columns: what the head said';
  const heading = (scope: string, text: string, title = '') => element('th', { scope, title }, text);
  const share = (value: number) => element('td', { className: 'count' }, Number.isNaN(value) ? '–' : percent(value, 0));
  table
    .createTHead()
    .append(
      element(
        'tr',
        {},
        element('td'),
        ...labels.map((label) => heading('col', label)),
        heading('col', 'Recall', 'How many of a class were found'),
      ),
    );
  table.createTBody().append(
    ...counts.map((row, truth) => {
      const total = row.reduce((sum, n) => sum + n, 0);
      const cells = row.map((n, said) => {
        const cell = element('td', { className: truth === said ? 'cell right' : 'cell' }, String(n));
        cell.classList.toggle('strong', n / total > STRONG);
        cell.style.setProperty('--share', String(n / total));
        return cell;
      });
      return element('tr', {}, heading('row', labels[truth]), ...cells, share(recall[truth]));
    }),
  );
  table
    .createTFoot()
    .append(
      element(
        'tr',
        {},
        heading('row', 'Precision', 'How many that were said to be of a class are'),
        ...precision.map(share),
        element('td'),
      ),
    );
  return table;
}

function mistakes(wrong: string[]): HTMLElement {
  const rest = wrong.length > LISTED ? `, the first ${LISTED} of them` : '';
  return element(
    'details',
    {},
    element('summary', {}, `${plural(wrong.length, 'example')} taken for another class${rest}`),
    element('ul', {}, ...wrong.slice(0, LISTED).map((line) => element('li', {}, line))),
  );
}
