// What was read and found, for other programs.
import type { Choice } from '../models/model-store';
import { csvFile, jsonFile } from '../take-away/save-file';
import { quoted, snippet } from '../take-away/snippets';
import type { Exported } from '../take-away/take-away';
import type { Passage } from './passages';
import type { Cell } from './strip';
import type { Window } from './windows';

/** A line of the exported tables. */
export interface PassageRow extends Record<string, string | number | undefined> {
  passage: number;
  /** UTF-16 offsets in the text. */
  start: number;
  end: number;
  /** Such as its page. */
  place: string;
  tokens: number;
  /** To the question, or without one to the mean of all passages. */
  cosine: number;
  /** '' where nobody knows what the model's cosines mean. */
  relevance: string;
  text: string;
}

const LOAD = `const text = await (await fetch('./text.txt')).text(); // your text`;
const BEST = `const best = [...scores.keys()].sort((a, b) => scores[b] - scores[a]).slice(0, 3);
for (const i of best) console.log(scores[i].toFixed(2), text.slice(passages[i].start, passages[i].end));`;

/** Lines that read a text in these passages, or before there are any in parts of a few tokens, and find where it answers a question. */
export function longCode(choice: Choice, question: string, passages: Passage[], windows: Window[]): string {
  const ask = `const question = await model.embed(${quoted(question || 'What is it about?')}, { kind: 'query', normalize: true });`;
  const ends = `const ends = [${passages.map(({ end }) => end).join(', ')}]; // of the passages
const passages = ends.map((end, i) => ({ start: ends[i - 1] ?? 0, end }));`;
  const divide = passages.length > 0 ? ends : 'const passages = await model.chunk(text, { maxTokens: 200 });';
  const inOne = `// One pass reads the whole text; each passage's vector is pooled from its own tokens (late chunking).
const vectors = await model.embed(text.slice(0, passages.at(-1)!.end), { kind: 'document', chunks: passages, normalize: true });
const [scores] = similarity(question, vectors);`;
  const inSeveral = `// Each: passages that one pass reads, from and to, and those whose vectors it gives.
const windows = ${JSON.stringify(windows.map(({ from, to, ownFrom, ownTo }) => [from, to, ownFrom, ownTo]))};
const scores: number[] = [];
for (const [from, to, ownFrom, ownTo] of windows) {
  const { start: at } = passages[from];
  const chunks = passages.slice(ownFrom, ownTo).map(({ start, end }) => ({ start: start - at, end: end - at }));
  const part = text.slice(at, passages[to - 1].end);
  const vectors = await model.embed(part, { kind: 'document', chunks, normalize: true, truncate: true });
  scores.push(...similarity(question, vectors)[0]);
}`;
  return snippet(
    ["import { similarity } from 'modernbert-webgpu';"],
    choice,
    [LOAD, divide, ask, windows.length > 1 ? inSeveral : inOne, BEST].join('\n'),
  );
}

/** Colours of the strip, as the page has them. */
interface Colours {
  surface: string;
  heat: string;
}

/** Units of the picture. */
const PICTURE = { width: 80, height: 800 };

/** The strip as a picture that other programs can draw. */
export function stripSvg(cells: Cell[], shares: number[], { surface, heat }: Colours): string {
  const { width, height } = PICTURE;
  const units = (share: number) => (share * height).toFixed(2);
  const rects = cells.map(
    ({ at, size }, i) =>
      `<rect y="${units(at)}" width="${width}" height="${units(size)}" fill="${heat}" fill-opacity="${shares[i].toFixed(3)}"/>`,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
    `<rect width="${width}" height="${height}" fill="${surface}"/>`,
    ...rects,
    '</svg>\n',
  ].join('\n');
}

async function stripPng(cells: Cell[], shares: number[], { surface, heat }: Colours): Promise<Blob> {
  const scale = 2;
  const canvas = new OffscreenCanvas(PICTURE.width * scale, PICTURE.height * scale);
  const context = canvas.getContext('2d');
  if (!context) throw new Error('This browser cannot draw the picture. Take the SVG.');
  context.fillStyle = surface;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.fillStyle = heat;
  for (const [i, { at, size }] of cells.entries()) {
    context.globalAlpha = shares[i];
    context.fillRect(0, at * canvas.height, canvas.width, size * canvas.height);
  }
  return canvas.convertToBlob({ type: 'image/png' });
}

/** What there is to save. */
export function longFiles(rows: PassageRow[], cells: Cell[], shares: number[], facts: object): Exported[] {
  const colours = (): Colours => {
    const style = getComputedStyle(document.documentElement);
    const [surface, heat] = ['--surface', '--heat'].map((name) => style.getPropertyValue(name).trim());
    return { surface, heat };
  };
  return [
    { label: 'Passages as CSV', name: 'passages.csv', make: () => csvFile(rows) },
    { label: 'Passages as JSON', name: 'passages.json', make: () => jsonFile({ ...facts, passages: rows }) },
    { label: 'Strip as PNG', name: 'strip.png', make: () => stripPng(cells, shares, colours()) },
    {
      label: 'Strip as SVG',
      name: 'strip.svg',
      make: () => new Blob([stripSvg(cells, shares, colours())], { type: 'image/svg+xml' }),
    },
  ];
}
