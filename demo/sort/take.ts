import type { HeadFile } from '../classify/head-file';
import type { Choice } from '../models/model-store';
import { snippet } from '../take-away/snippets';
import { PART, PARTS } from './embed';

/** The name of the exported classifier. */
export const HEAD_FILE = 'file-classes.json';

/** Lines that find the class of a text as the tab does, with the exported classifier and its model. */
export const usage = ({ encoder }: Pick<HeadFile, 'encoder'>, choice: Choice): string =>
  snippet(
    ["import { loadClassifier } from 'modernbert-webgpu/classifier';"],
    { ...choice, dtype: encoder?.dtype ?? choice.dtype },
    `
const classifier = loadClassifier(model, await (await fetch('./${HEAD_FILE}')).json()); // Export, Trained classifier
const text = 'Please pay the amount due within 30 days.';

// Of a long text the mean vector of its first parts counts.
const parts = await model.chunk(text, { maxTokens: Math.min(${PART}, model.info.maxTokens) });
const texts = parts.slice(0, ${PARTS}).map((part) => part.text);
const rows = await model.embed(texts, { ...classifier.toJSON().embed, truncate: true });
const sum = new Float32Array(rows.dim).map((_, d) => texts.reduce((total, _, i) => total + rows.row(i)[d], 0));
const mean = sum.map((x) => x / Math.hypot(...sum));

const [[best]] = await classifier.classify({ ...rows, data: mean, rows: 1, row: () => mean });
console.log(best.label, best.score);`,
  );
