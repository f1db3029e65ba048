import type { HeadFile } from '../classify/head-file';
import { PART, PARTS } from './embed';

/** A text as JavaScript, also in a comment: U+2028 and U+2029 end a line there. */
const quoted = (text: string): string =>
  JSON.stringify(text).replace(/[\u2028\u2029]/g, (end) => `\\u${end.charCodeAt(0).toString(16)}`);

/** What sorts a text in one's own code as the tab does: `head` is what it exports. `source`: where its model loads from. */
export const usage = (head: Pick<HeadFile, 'model' | 'encoder'>, source: string): string => `\
import { loadModel } from 'modernbert-webgpu';
import { loadClassifier } from 'modernbert-webgpu/classifier';

const model = await loadModel(${quoted(source)}, { dtype: ${quoted(head.encoder?.dtype ?? 'auto')} }); // ${quoted(head.model)}
const classifier = loadClassifier(model, await (await fetch('./file-classes.json')).json());

/** The class of a text with its probability; of a long text the mean vector of its first parts counts. */
async function classOf(text) {
  const parts = await model.chunk(text, { maxTokens: Math.min(${PART}, model.info.maxTokens) });
  const texts = parts.slice(0, ${PARTS}).map((part) => part.text);
  const rows = await model.embed(texts, { ...classifier.toJSON().embed, truncate: true });
  const sum = Float32Array.from({ length: rows.dim }, (_, d) => texts.reduce((total, _, i) => total + rows.row(i)[d], 0));
  const vector = sum.map((x) => x / Math.hypot(...sum));
  const [[best]] = await classifier.classify({ ...rows, data: vector, rows: 1, row: () => vector });
  return best;
}

console.log(await classOf('Please pay the amount due within 30 days.')); // { label, score }
`;
