import { element } from '../dom';

/** Where black text on the cell's colour reads worse than white, or the other way round in the dark: contrast 4.5 either side. */
const STRONG = 0.625;

/** For few texts. A table of all pairs: rows named by their text, columns by its number, each cell coloured by its value. */
export function heatmap(texts: string[], all: Float32Array): HTMLTableElement {
  const table = element('table', { className: 'heatmap' });
  table.createCaption().textContent = 'Cosine of every pair of texts';
  const head = table.createTHead().insertRow();
  head.append(element('td'));
  for (const [j, text] of texts.entries()) {
    const name = element('span', { className: 'visually-hidden' }, text);
    head.append(element('th', { scope: 'col', title: text }, `${j + 1} `, name));
  }
  const body = table.createTBody();
  for (const [i, text] of texts.entries()) {
    const line = body.insertRow();
    const label = element('span', { className: 'text' }, text);
    line.append(
      element('th', { scope: 'row', title: text }, element('span', { className: 'number' }, `${i + 1}`), label),
    );
    for (const [j, other] of texts.entries()) {
      const cosine = all[i * texts.length + j];
      const cell = line.insertCell();
      cell.textContent = cosine.toFixed(2);
      cell.title = `${text}\n${other}`;
      cell.style.setProperty('--share', String(Math.max(0, Math.min(1, cosine))));
      cell.classList.toggle('same', i === j);
      cell.classList.toggle('strong', cosine > STRONG);
    }
  }
  return table;
}
