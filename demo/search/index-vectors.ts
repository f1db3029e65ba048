import type { Passage } from '../../src/search';
import type { Vectors } from '../map/vectors';
import type { Section } from './sections';

/** A passage of an index. */
export interface IndexedPassage {
  id: string;
  /** All of its document. */
  text: string;
  metadata: Section;
  passage: Passage;
}

/** Vectors [rows, dim] and the passage of each row. */
export interface IndexedPassages {
  vectors: Vectors;
  passages: IndexedPassage[];
}

interface Tensor {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

interface Line {
  id: string;
  text: string;
  metadata: Section;
  /** start, end, start, end … */
  passages: number[];
}

/** Reads what `export` of an index gives, its only way to show vectors: a safetensors file (docs/guide/search.md). Of more than `most` passages it takes some, evenly. */
export async function readIndex(file: Blob, most: number): Promise<IndexedPassages> {
  const headerSize = Number(new DataView(await file.slice(0, 8).arrayBuffer()).getBigUint64(0, true));
  const header: Record<string, Tensor> = JSON.parse(await file.slice(8, 8 + headerSize).text());
  const part = ({ data_offsets: [begin, end] }: Tensor) => file.slice(8 + headerSize + begin, 8 + headerSize + end);
  const { vectors, documents } = header;
  const bytes = await part(vectors).arrayBuffer();
  const all = vectors.dtype === 'I8' ? new Int8Array(bytes) : new Float32Array(bytes);
  const lines = (await part(documents).text()).split('\n').filter(Boolean);
  const passages = lines.flatMap((line) => {
    const { passages, ...document }: Line = JSON.parse(line);
    return Array.from({ length: passages.length / 2 }, (_, i) => ({
      ...document,
      passage: { start: passages[2 * i], end: passages[2 * i + 1] },
    }));
  });
  const [rows, dim] = vectors.shape;
  if (rows <= most) return { vectors: { data: all, rows, dim }, passages };
  const chosen = Array.from({ length: most }, (_, i) => Math.floor((i * rows) / most));
  const data = vectors.dtype === 'I8' ? new Int8Array(most * dim) : new Float32Array(most * dim);
  for (const [i, row] of chosen.entries()) data.set(all.subarray(row * dim, (row + 1) * dim), i * dim);
  return { vectors: { data, rows: most, dim }, passages: chosen.map((row) => passages[row]) };
}
