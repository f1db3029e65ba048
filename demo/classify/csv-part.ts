import { element, showError } from '../dom';
import { decodeText } from '../files/decode-text';
import { readBytes } from '../files/documents';
import { createDropZone } from '../files/drop-zone';
import '../files/drop-zone.css';
import { count, plural } from '../numbers';
import { asTable, type Example, guessColumns, parseRows, toExamples } from './csv';

/** What takes a CSV: `zone` takes the file, `place` asks which columns hold what. `onExamples` hears of the rows that are to be used. */
export function createCsvPart(
  places: { zone: HTMLElement; place: HTMLElement; error: HTMLElement },
  onExamples: (examples: Example[]) => void,
): void {
  const { zone, place, error } = places;
  createDropZone(zone, {
    accept: '.csv,.tsv,.txt',
    prompt: 'Or drop a CSV of texts and their classes here',
    folders: false,
    multiple: false,
    onFiles: ([file]) => void take(file),
  });

  async function take(file: File) {
    showError(error, undefined);
    try {
      ask(file.name, parseRows(file.name, decodeText(file.name, await readBytes(file))));
    } catch (reason) {
      showError(error, reason);
    }
  }

  function ask(name: string, rows: string[][]) {
    const guess = guessColumns(rows);
    const { columns } = asTable(rows, guess.hasHeader);
    const select = (chosen: number) =>
      element('select', {}, ...columns.map((column, i) => new Option(column, String(i), i === chosen, i === chosen)));
    const [text, label] = [select(guess.text), select(guess.label)];
    const header = element('input', { type: 'checkbox', checked: guess.hasHeader });
    const use = element('button', { type: 'button' }, 'Use these rows');
    const cancel = element('button', { type: 'button' }, 'Cancel');
    place.replaceChildren(
      element('p', {}, `${name}: ${plural(rows.length, 'row')}`),
      element('label', {}, 'Texts ', text),
      element('label', {}, 'Classes ', label),
      element('label', { className: 'choice' }, header, ' The first row names the columns'),
      element('div', { className: 'row' }, use, cancel),
    );
    cancel.addEventListener('click', () => place.replaceChildren());
    use.addEventListener('click', () => {
      const table = asTable(rows, header.checked);
      const { examples, left } = toExamples(table, Number(text.value), Number(label.value));
      if (examples.length === 0) {
        return showError(error, 'No row has a text and a class in these columns. Choose other columns.');
      }
      showError(error, undefined);
      onExamples(examples);
      const lacking =
        left > 0 ? `, ${count(left)} of ${plural(table.rows.length, 'row')} lacked a text or a class` : '';
      place.replaceChildren(
        element('p', { className: 'count' }, `${plural(examples.length, 'example')} taken${lacking}.`),
      );
    });
    use.focus();
  }
}
