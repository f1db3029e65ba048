import type { Evaluation, Example } from '../../src/classifier';
import { element } from '../dom';
import { smallest } from '../extremes';
import { keyScroll } from '../key-scroll';
import { percent, plural } from '../numbers';

/** Fewer examples of a class say little of how good a head is. */
const FEW = 10;
/** Examples that were taken for something else and are listed. */
const LISTED = 50;
/** Where black text on a cell's colour reads worse than white, or the other way round in the dark. */
const STRONG = 0.625;

/** How good a head is: accuracy, the confusion matrix, and which examples were taken for something else. */
export function trainingView(examples: Example[], evaluation: Evaluation): HTMLElement[] {
  if (evaluation.folds === 0) {
    const note =
      'No class has two examples: how good the classifier is cannot be tested. Give every class at least two.';
    return [element('p', {}, note)];
  }
  const wrong = evaluation.mistakes.map(
    ({ index, label }) => `${examples[index].text} (${examples[index].label}, taken for ${label})`,
  );
  return [
    summary(evaluation),
    keyScroll(element('section', { className: 'table-scroll', ariaLabel: 'Confusion matrix' }, matrix(evaluation))),
    ...(wrong.length > 0 ? [mistakes(wrong)] : []),
  ];
}

function summary({ accuracy = 0, accuracyInterval = [0, 1], folds, tested, labels }: Evaluation): HTMLElement {
  const [low, high] = accuracyInterval.map((share) => percent(share, 0));
  const fewest = smallest(labels.map(({ support }) => support));
  return element(
    'p',
    { className: 'accuracy' },
    element('strong', {}, percent(accuracy, 0)),
    ` right in ${folds}-fold cross-validation: each example was tested on a classifier that had not seen it.`,
    ` With ${plural(tested, 'example')}, the true share may well be anywhere from ${low} to ${high}.`,
    fewest < FEW ? ` Classes of ${FEW} examples and more say it better.` : '',
  );
}

function matrix({ labels, confusion }: Evaluation): HTMLTableElement {
  const table = element('table', { className: 'confusion' });
  table.createCaption().textContent = 'Rows: the true class; columns: the predicted class';
  const heading = (scope: string, text: string, title = '') => element('th', { scope, title }, text);
  const share = (value: number | undefined) =>
    element('td', { className: 'count' }, value === undefined ? '–' : percent(value, 0));
  table
    .createTHead()
    .append(
      element(
        'tr',
        {},
        element('td'),
        ...labels.map(({ label }) => heading('col', label)),
        heading('col', 'Recall', 'How many of a class were found'),
      ),
    );
  table.createTBody().append(
    ...confusion.map((row, truth) => {
      const { label, support, recall } = labels[truth];
      const cells = row.map((n, said) => {
        const cell = element('td', { className: truth === said ? 'cell right' : 'cell' }, String(n));
        cell.classList.toggle('strong', n / Math.max(support, 1) > STRONG);
        cell.style.setProperty('--share', String(n / Math.max(support, 1)));
        return cell;
      });
      return element('tr', {}, heading('row', label), ...cells, share(recall));
    }),
  );
  table
    .createTFoot()
    .append(
      element(
        'tr',
        {},
        heading('row', 'Precision', 'How many that were said to be of a class are'),
        ...labels.map(({ precision }) => share(precision)),
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
