import type { Embeddings } from '../../src/index';
import { element } from '../dom';

/** Where black text on the cell's colour reads worse than white, or the other way round in the dark: contrast 4.5 either side. */
const STRONG = 0.625;

/** Cosines of all pairs: `[i][j]`. */
export function similarities({ rows, row }: Pick<Embeddings, 'rows' | 'row'>): number[][] {
  const vectors = Array.from({ length: rows }, (_, i) => row(i));
  const norms = vectors.map((vector) => Math.hypot(...vector));
  return vectors.map((a, i) =>
    vectors.map((b, j) => a.reduce((sum, value, k) => sum + value * b[k], 0) / (norms[i] * norms[j])),
  );
}

/** The two different texts with the highest cosine; undefined for fewer than two. */
export function closestPair(cosines: number[][]): { i: number; j: number; cosine: number } | undefined {
  let best: { i: number; j: number; cosine: number } | undefined;
  for (let i = 0; i < cosines.length; i++) {
    for (let j = 0; j < i; j++) {
      if (!best || cosines[i][j] > best.cosine) best = { i: j, j: i, cosine: cosines[i][j] };
    }
  }
  return best;
}

/** A table of all pairs: rows named by their text, columns by its number, each cell coloured by its value. */
export function heatmap(texts: string[], cosines: number[][]): HTMLTableElement {
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
    for (const [j, cosine] of cosines[i].entries()) {
      const cell = line.insertCell();
      cell.textContent = cosine.toFixed(2);
      cell.title = `${text}\n${texts[j]}`;
      cell.style.setProperty('--share', String(Math.max(0, Math.min(1, cosine))));
      cell.classList.toggle('same', i === j);
      cell.classList.toggle('strong', cosine > STRONG);
    }
  }
  return table;
}
