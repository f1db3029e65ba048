/**
 * The safetensors format (https://github.com/huggingface/safetensors): 8 bytes with the length of the header, little-endian; a JSON
 * header; then the bytes of the tensors one after the other, without holes.
 */
import { ModelFileError } from '../api/errors';
import { isObject, shown } from './json-fields';
import { MOST_LEVELS, scanJson } from './json-scan';
import type { ModelFile } from './model-files';
import { messageOf, type StreamOptions, streamBytes } from './read';

/** `begin` and `end`: byte offsets from the start of the data, after the header. */
export interface TensorInfo {
  name: string;
  /** As the file spells it: F32, F16, BF16, I64, … */
  dtype: string;
  shape: number[];
  begin: number;
  end: number;
}

interface SafetensorsVisitor {
  /** Takes all tensors of the file in the order of their bytes, and its `__metadata__`; returns the names of the tensors to read (a Set or a Map). */
  header(tensors: TensorInfo[], metadata: Metadata): Names | Promise<Names>;
  /**
   * Takes the next bytes of a tensor, `offset` bytes after its begin. Chunks of a tensor come in order. All but the last are a multiple of
   * 1024 bytes, and whole rows unless these are very long or odd; a tensor without elements has none. `bytes` is reused after the promise
   * has resolved.
   */
  chunk(tensor: TensorInfo, offset: number, bytes: Uint8Array<ArrayBuffer>): void | Promise<void>;
}

export type Metadata = Record<string, string>;

interface Names {
  has(name: string): boolean;
}

/** The limit of the reference implementation. */
const MAX_HEADER_BYTES = 100_000_000;
/** Of a header, which has 4 per tensor. */
const MAX_KEYS = 1_000_000;
const CHUNK_BYTES = 1 << 20;
const CHUNK_STEP = 1024;

/** Bits per element. A Map, not an object: names such as "constructor" must not be found. */
const DTYPE_BITS = new Map<unknown, number>(
  Object.entries({
    4: 'F4',
    6: 'F6_E2M3 F6_E3M2',
    8: 'BOOL U8 I8 F8_E5M2 F8_E4M3 F8_E8M0 F8_E4M3FNUZ F8_E5M2FNUZ',
    16: 'I16 U16 F16 BF16',
    32: 'I32 U32 F32',
    64: 'I64 U64 F64 C64',
  }).flatMap(([bits, names]) => names.split(' ').map((name) => [name, Number(bits)] as const)),
);

/**
 * Reads the file once, front to back, and passes the tensors that `visitor` names to it, chunk by chunk, awaiting each call. Holds at most
 * the header and one chunk. Throws a ModelFileError for a file that is not valid safetensors, and the reason of `signal` when it aborts;
 * then, and when the visitor throws, the stream is cancelled.
 */
export async function readSafetensors(
  file: ModelFile,
  visitor: SafetensorsVisitor,
  { onProgress, signal }: StreamOptions = {},
): Promise<void> {
  const { name, size } = file;
  // The header tells the size of the file even if the server does not.
  let total = size;
  const source = byteSource(
    streamBytes(
      { name, size, stream: file.fleetingStream ?? file.stream },
      { signal, onProgress: onProgress && ((progress) => onProgress({ ...progress, total })) },
    ),
  );
  try {
    const { metadata, tensors, dataStart } = await readStart(source, name, size);
    total = dataStart + (tensors.at(-1)?.end ?? 0);

    const wanted = await visitor.header(tensors, metadata);
    const staging = new Uint8Array(CHUNK_BYTES);
    for (const tensor of tensors) {
      const isWanted = wanted.has(tensor.name);
      const length = tensor.end - tensor.begin;
      const chunkBytes = chunkBytesOf(tensor);
      for (let offset = 0; offset < length; offset += chunkBytes) {
        const part = staging.subarray(0, Math.min(chunkBytes, length - offset));
        const partGot = await source.fill(part);
        if (partGot < part.length) {
          const ended = dataStart + tensor.begin + offset + partGot;
          throw new ModelFileError(`${name} is cut off in ${tensor.name}: it ends after ${ended} of ${total} bytes.`);
        }
        if (isWanted) {
          await visitor.chunk(tensor, offset, part);
          signal?.throwIfAborted();
        }
      }
    }
    if ((await source.fill(new Uint8Array(1))) > 0) {
      throw new ModelFileError(`${name} goes on after its last tensor, which ends at byte ${total}.`);
    }
  } finally {
    await source.close();
  }
}

/** The tensors of a file, by its header alone; the rest is not read. Throws what readSafetensors throws. */
export async function readTensors(
  { name, size, stream }: ModelFile,
  { signal }: StreamOptions = {},
): Promise<TensorInfo[]> {
  const source = byteSource(streamBytes({ name, size, stream }, { signal }));
  try {
    return (await readStart(source, name, size)).tensors;
  } finally {
    await source.close();
  }
}

async function readStart(source: ReturnType<typeof byteSource>, name: string, size: number | undefined) {
  const start = new Uint8Array(8);
  const got = await source.fill(start);
  if (got < 8)
    throw new ModelFileError(`${name} is not a safetensors file: it has ${got} bytes, at least 8 are needed.`);
  const headerBytes = new DataView(start.buffer).getBigUint64(0, true);
  const limit = Math.min(MAX_HEADER_BYTES, (size ?? Infinity) - 8);
  if (headerBytes > limit) {
    throw new ModelFileError(
      `${name} is not a safetensors file: its header would have ${headerBytes} bytes, at most ${limit} are possible.`,
    );
  }
  const header = new Uint8Array(Number(headerBytes));
  const headerGot = await source.fill(header);
  if (headerGot < header.length) {
    throw new ModelFileError(`${name} is cut off: it ends after ${headerGot} of the header's ${header.length} bytes.`);
  }
  const dataStart = 8 + header.length;
  return { dataStart, ...parse(header, name, size === undefined ? undefined : size - dataStart) };
}

/** Bytes per chunk: whole rows that are a multiple of 1024 bytes, if they fit. */
function chunkBytesOf({ shape, begin, end }: TensorInfo): number {
  const rowBytes = ((end - begin) / shape.reduce((a, b) => a * b, 1)) * (shape.at(-1) ?? 1);
  let step = rowBytes;
  while (step <= CHUNK_BYTES && step % CHUNK_STEP !== 0) step *= 2;
  return step <= CHUNK_BYTES ? CHUNK_BYTES - (CHUNK_BYTES % step) : CHUNK_BYTES;
}

/** Reads any number of bytes from a stream of chunks of any size. */
function byteSource(chunks: AsyncGenerator<Uint8Array>) {
  let rest = new Uint8Array(0) as Uint8Array;
  return {
    /** Returns how many bytes were read: fewer than `into` holds only at the end of the stream. */
    async fill(into: Uint8Array): Promise<number> {
      let filled = 0;
      while (filled < into.length) {
        if (rest.length === 0) {
          const next = await chunks.next();
          if (next.done) break;
          rest = next.value;
        }
        const part = rest.subarray(0, into.length - filled);
        into.set(part, filled);
        filled += part.length;
        rest = rest.subarray(part.length);
      }
      return filled;
    },
    close: () => chunks.return(undefined),
  };
}

/** A tensor to be written. */
export interface Entry {
  name: string;
  dtype: string;
  shape: number[];
  bytes: number;
}

/** The start of a file with these tensors, in this order and without holes, and the size of the whole file. */
export function safetensorsHeader(tensors: Entry[], metadata: Metadata): { header: Uint8Array; size: number } {
  let at = 0;
  const entries = tensors.map(({ name, dtype, shape, bytes }) => {
    const begin = at;
    at += bytes;
    return [name, { dtype, shape, data_offsets: [begin, at] }];
  });
  const json = { __metadata__: metadata, ...Object.fromEntries(entries) }; // also a tensor named __proto__
  const text = new TextEncoder().encode(JSON.stringify(json));
  const header = new Uint8Array(8 + Math.ceil(text.length / 8) * 8).fill(0x20); // spaces, so that the data is aligned
  new DataView(header.buffer).setBigUint64(0, BigInt(header.length - 8), true);
  header.set(text, 8);
  return { header, size: header.length + at };
}

/**
 * The tensors of a header, in the order of their bytes, which must cover the data from 0 on without holes or overlaps (and all of its
 * `dataBytes`, if given). `file`: the name for error messages.
 */
export const parseHeader = (header: Uint8Array, file: string, dataBytes?: number): TensorInfo[] =>
  parse(header, file, dataBytes).tensors;

function parse(header: Uint8Array, file: string, dataBytes?: number): { tensors: TensorInfo[]; metadata: Metadata } {
  const fail = (what: string, cause?: unknown) =>
    new ModelFileError(`${file} has an invalid header: ${what.length > 1000 ? `${what.slice(0, 1000)}…` : what}.`, {
      cause,
    });
  const { keys, depth } = scanJson(header);
  if (keys > MAX_KEYS) throw fail(`it has ${keys} keys, at most ${MAX_KEYS} are possible`);
  if (depth > MOST_LEVELS) throw fail(`it is nested ${depth} deep, at most ${MOST_LEVELS} are possible`);
  let json: unknown;
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(header);
    json = JSON.parse(text);
  } catch (cause) {
    throw fail(`it is not JSON in UTF-8 (${messageOf(cause)})`, cause);
  }
  if (!isObject(json)) throw fail('it is not a JSON object');
  // JSON.parse silently keeps the last of several entries.
  if (keysOf(json) < keys) throw fail(`${shown(repeatedKey(text))} is in it twice`);

  const { __metadata__: metadata, ...entries } = json;
  if (
    !isAbsent(metadata) &&
    !(isObject(metadata) && Object.values(metadata).every((value) => typeof value === 'string'))
  )
    throw fail('__metadata__ is not an object of strings');
  const tensors = Object.entries(entries).map(([name, entry]) => parseTensor(name, entry, fail));
  tensors.sort((a, b) => a.begin - b.begin || a.end - b.end);

  let end = 0;
  let previous = 'the start of the data';
  for (const tensor of tensors) {
    if (tensor.begin !== end) {
      const what = tensor.begin < end ? 'overlaps' : 'leaves a hole after';
      throw fail(`${tensor.name} begins at byte ${tensor.begin} and ${what} ${previous}, which ends at byte ${end}`);
    }
    end = tensor.end;
    previous = tensor.name;
    if (dataBytes !== undefined && end > dataBytes) {
      throw fail(
        `${tensor.name} ends at byte ${end}, and the file has only ${dataBytes} bytes of data (is it cut off?)`,
      );
    }
  }
  if (dataBytes !== undefined && end < dataBytes) {
    throw fail(`the last tensor ends at byte ${end}, but the file has ${dataBytes} bytes of data`);
  }
  return { tensors, metadata: (metadata ?? {}) as Metadata };
}

const isAbsent = (value: unknown): boolean => value === undefined || value === null;

/** The keys of all objects in parsed JSON. */
function keysOf(json: unknown): number {
  if (typeof json !== 'object' || json === null) return 0;
  const values = Object.values(json);
  return values.reduce((sum: number, value) => sum + keysOf(value), Array.isArray(json) ? 0 : values.length);
}

function parseTensor(name: string, entry: unknown, fail: (what: string) => ModelFileError): TensorInfo {
  if (!isObject(entry)) throw fail(`${name} is not an object but ${shown(entry)}`);
  const { dtype, shape, data_offsets: offsets } = entry;
  const bits = DTYPE_BITS.get(dtype);
  if (bits === undefined) throw fail(`${name} has dtype ${shown(dtype)}, which the format does not have`);
  if (!isCounts(shape)) throw fail(`${name} has shape ${shown(shape)}, which is not a list of whole numbers >= 0`);
  if (!isCounts(offsets) || offsets.length !== 2 || offsets[0] > offsets[1]) {
    throw fail(`${name} has data_offsets ${shown(offsets)}, which are not [begin, end]`);
  }
  const [begin, end] = offsets;
  // The reference implementation refuses a product that overflows, also if it is multiplied by 0 later.
  const elements = shape.reduce((product, length) => (product > MOST_ELEMENTS ? product : product * length), 1);
  const bytes = elements > MOST_ELEMENTS ? Infinity : (elements * bits) / 8;
  if (bytes !== end - begin) {
    throw fail(
      `${name}, ${dtype} of shape ${shown(shape)}, takes ${Number.isFinite(bytes) ? bytes : 'too many'} bytes, but its data_offsets [${offsets}] hold ${end - begin}`,
    );
  }
  return { name, dtype: String(dtype), shape, begin, end };
}

/** 2^50: more than any file, and exact in bits. */
const MOST_ELEMENTS = 2 ** 50;

const isCounts = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((count) => Number.isSafeInteger(count) && count >= 0);

/** A key that occurs twice in one object of valid JSON; JSON.parse silently keeps the last. */
function repeatedKey(json: string): string | undefined {
  const open: Set<string>[] = [];
  const colon = /\s*:/y;
  let stringStart = -1;
  // Matches escapes, quotes and braces one by one: an expression for whole strings overflows V8's stack on long ones.
  for (const { 0: token, index } of json.matchAll(/\\.|["{}]/g)) {
    if (stringStart >= 0) {
      if (token !== '"') continue;
      const start = stringStart;
      stringStart = -1;
      colon.lastIndex = index + 1;
      if (!colon.test(json)) continue;
      const key: string = JSON.parse(json.slice(start, index + 1));
      const keys = open.at(-1);
      if (keys?.has(key)) return key;
      keys?.add(key);
    } else if (token === '"') stringStart = index;
    else if (token === '{') open.push(new Set());
    else open.pop();
  }
  return undefined;
}
