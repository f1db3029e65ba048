/** An index as one file, in the safetensors format, so that other tools can read its vectors. */
import { isObject, shown } from '../formats/json-fields';
import { readSafetensors, safetensorsHeader, type TensorInfo } from '../formats/safetensors';
import { ModelFileError } from '../index';
import { checkedDocument } from './documents';
import type { Checked } from './embedder';
import type { IndexRecord, IndexSpec, Passage } from './types';

const FORMAT = 'modernbert-webgpu/search';
/** Begins the messages of errors. */
const NAME = 'The index file';

/** The file of all documents. `recordOf` is called for one at a time. */
export function indexFile(
  spec: IndexSpec,
  passages: number,
  ids: readonly string[],
  recordOf: (id: string) => IndexRecord,
): Blob {
  const vectors: BlobPart[] = [];
  const lines: BlobPart[] = [];
  const encoder = new TextEncoder();
  let bytes = 0;
  for (const id of ids) {
    const { vectors: own, passages, ...record } = recordOf(id);
    vectors.push(own as BlobPart);
    const offsets = passages.flatMap(({ start, end }) => [start, end]);
    const line = encoder.encode(`${JSON.stringify({ ...record, passages: offsets })}\n`);
    lines.push(line);
    bytes += line.length;
  }
  const isFloat = spec.precision === 'float32';
  const { header } = safetensorsHeader(
    [
      {
        name: 'vectors',
        dtype: isFloat ? 'F32' : 'I8',
        shape: [passages, spec.dim],
        bytes: passages * spec.dim * (isFloat ? 4 : 1),
      },
      { name: 'documents', dtype: 'U8', shape: [bytes], bytes },
    ],
    { format: FORMAT, index: JSON.stringify({ version: 1, ...spec }) },
  );
  return new Blob([header as BlobPart, ...vectors, ...lines], { type: 'application/octet-stream' });
}

interface IndexFile {
  spec: IndexSpec & { version: number };
  records(): Promise<IndexRecord[]>;
}

/** Reads a file. Nothing of it is believed: throws a ModelFileError for one that is cut off, is no index, or contradicts itself. */
export async function readIndexFile(blob: Blob, signal?: AbortSignal): Promise<IndexFile> {
  let found:
    | { spec: IndexFile['spec']; vectors: Uint8Array<ArrayBuffer>; documents: Uint8Array<ArrayBuffer> }
    | undefined;
  const header = (tensors: TensorInfo[], { format, index }: Record<string, string>) => {
    if (format !== FORMAT) throw new ModelFileError(`${NAME} is not an index that export() made.`);
    const spec = specOf(index);
    const names = ['vectors', 'documents'];
    const [vectors, documents] = names.map((name) => tensors.find((tensor) => tensor.name === name));
    const dtype = spec.precision === 'float32' ? 'F32' : 'I8';
    if (!vectors || vectors.dtype !== dtype || vectors.shape.length !== 2 || vectors.shape[1] !== spec.dim) {
      throw new ModelFileError(`${NAME} has no vectors of ${spec.dim} numbers in ${dtype}.`);
    }
    if (documents?.dtype !== 'U8') throw new ModelFileError(`${NAME} has no documents.`);
    found = {
      spec,
      vectors: new Uint8Array(vectors.end - vectors.begin),
      documents: new Uint8Array(documents.end - documents.begin),
    };
    return new Set(names);
  };
  const chunk = ({ name }: TensorInfo, offset: number, bytes: Uint8Array) =>
    found![name as 'vectors' | 'documents'].set(bytes, offset);
  const file = { name: NAME, size: blob.size, stream: blob.stream() };
  await readSafetensors(file, { header, chunk }, { signal }).catch((cause: unknown) => {
    // The reader's class is not the one that index.js exports.
    if (cause instanceof Error && cause.name === 'ModelFileError') throw new ModelFileError(cause.message, { cause });
    throw cause;
  });
  const { spec, vectors, documents } = found!;
  return { spec, records: async () => recordsOf(spec, vectors, documents) };
}

function specOf(text: string | undefined): IndexFile['spec'] {
  const wrong = (cause?: unknown) =>
    new ModelFileError(`${NAME} does not say what the index was made with.`, { cause });
  let spec: unknown;
  try {
    spec = JSON.parse(text ?? '');
  } catch (cause) {
    throw wrong(cause);
  }
  if (!isObject(spec) || typeof spec.version !== 'number') throw wrong();
  if (spec.version !== 1) {
    throw new ModelFileError(`${NAME} has version ${spec.version} of the format, and this library reads version 1.`);
  }
  const { dim, precision, chunk, document, embeddingSpace, metric } = spec;
  const isChunk = chunk === false || (isObject(chunk) && isCount(chunk.maxTokens) && isCount(chunk.overlap));
  const isKnown =
    ['float32', 'int8', 'binary'].includes(precision as string) && ['cosine', 'dot'].includes(metric as string);
  if (!isCount(dim) || dim === 0 || !isKnown || !isChunk || !isObject(document) || typeof embeddingSpace !== 'string') {
    throw wrong();
  }
  return spec as unknown as IndexFile['spec'];
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function recordsOf(
  { dim, precision }: IndexSpec,
  bytes: Uint8Array<ArrayBuffer>,
  documents: Uint8Array<ArrayBuffer>,
): IndexRecord[] {
  const vectors = precision === 'float32' ? new Float32Array(bytes.buffer) : new Int8Array(bytes.buffer);
  const rows = vectors.length / dim;
  const ids = new Set<string>();
  let row = 0;
  const records = linesOf(documents).map((line, i) => {
    const record = parsedLine(line, i);
    const { id, passages } = record;
    if (ids.has(id)) throw new ModelFileError(`${NAME} has document ${shown(id)} twice.`);
    ids.add(id);
    const first = row;
    row += passages.length;
    return { ...record, vectors: vectors.subarray(first * dim, row * dim) };
  });
  if (row !== rows) throw new ModelFileError(`${NAME} has ${rows} vectors for ${row} passages.`);
  return records;
}

const NEWLINE = 10;

/** The lines as texts, each decoded by itself: together they may be longer than a string can be. */
function linesOf(bytes: Uint8Array): string[] {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const lines: string[] = [];
  for (let from = 0; from < bytes.length; ) {
    const end = bytes.indexOf(NEWLINE, from);
    if (end < 0) throw new ModelFileError(`${NAME} has a document without an end.`);
    try {
      lines.push(decoder.decode(bytes.subarray(from, end)));
    } catch (cause) {
      throw new ModelFileError(`Document ${lines.length} of the index file is not UTF-8.`, { cause });
    }
    from = end + 1;
  }
  return lines;
}

function parsedLine(line: string, i: number): Omit<IndexRecord, 'vectors'> {
  const wrong = (what: string, cause?: unknown) =>
    new ModelFileError(`Document ${i} of the index file ${what}.`, { cause });
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch (cause) {
    throw wrong('is not JSON', cause);
  }
  if (!isObject(json)) throw wrong('is not an object');
  const { passages: offsets, ...rest } = json;
  let document: Checked;
  try {
    document = checkedDocument(rest, i);
  } catch (cause) {
    throw new ModelFileError(`${NAME}: ${(cause as Error).message}`, { cause });
  }
  const { text } = document;
  const isOffsets = Array.isArray(offsets) && offsets.length > 0 && offsets.length % 2 === 0 && offsets.every(isCount);
  if (!isOffsets) throw wrong('has no passages');
  const passages: Passage[] = [];
  for (let at = 0; at < offsets.length; at += 2) {
    const [start, end] = [offsets[at], offsets[at + 1]];
    if (start >= end || end > text.length) {
      throw wrong(`has a passage from ${start} to ${end}, and its text has ${text.length} characters`);
    }
    passages.push({ start, end });
  }
  return { ...document, passages };
}
