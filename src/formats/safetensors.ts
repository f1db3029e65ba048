/**
 * The safetensors format (https://github.com/huggingface/safetensors): 8 bytes with the header's length, little-endian; a
 * JSON header; then the tensors' bytes one after the other, without holes.
 */
import { ModelFileError } from '../api/errors';
import type { ModelFile } from './model-files';
import { messageOf, type StreamOptions, streamBytes } from './read';

/** `begin` and `end`: byte offsets from the start of the data, which is after the header. */
export interface TensorInfo {
  name: string;
  /** As the file spells it: F32, F16, BF16, I64, … */
  dtype: string;
  shape: number[];
  begin: number;
  end: number;
}

export interface SafetensorsVisitor {
  /** All tensors of the file in the order of their bytes, and its `__metadata__`. Gives the names of those to hand over (a Set or a Map). */
  header(tensors: TensorInfo[], metadata: Metadata): Names | Promise<Names>;
  /**
   * The next bytes of a tensor, `offset` bytes after its begin. Chunks of a tensor come in order and have a multiple of 1024
   * bytes, but for its last, and whole rows unless these are very long or odd; a tensor without elements has none. `bytes` is
   * used again after the promise has resolved.
   */
  chunk(tensor: TensorInfo, offset: number, bytes: Uint8Array<ArrayBuffer>): void | Promise<void>;
}

export type Metadata = Record<string, string>;

interface Names {
  has(name: string): boolean;
}

/** The limit of the reference implementation. */
const MAX_HEADER_BYTES = 100_000_000;
const CHUNK_BYTES = 1 << 20;
const CHUNK_STEP = 1024;

/** A Map, not an object: names such as "constructor" must not be found. F4 and F6 are smaller than a byte. */
const DTYPE_BITS = new Map<unknown, number>([
  ['BOOL', 8],
  ['F4', 4],
  ['F6_E2M3', 6],
  ['F6_E3M2', 6],
  ['U8', 8],
  ['I8', 8],
  ['F8_E5M2', 8],
  ['F8_E4M3', 8],
  ['F8_E8M0', 8],
  ['F8_E4M3FNUZ', 8],
  ['F8_E5M2FNUZ', 8],
  ['I16', 16],
  ['U16', 16],
  ['F16', 16],
  ['BF16', 16],
  ['I32', 32],
  ['U32', 32],
  ['F32', 32],
  ['I64', 64],
  ['U64', 64],
  ['F64', 64],
  ['C64', 64],
]);

/**
 * Reads the file once, front to back, and hands the wanted tensors to `visitor`, which it waits for. It never holds more
 * than the header and one chunk. Throws a ModelFileError for a file that is not valid safetensors, and the reason of
 * `signal` when that aborts; then, and when the visitor throws, the stream is cancelled.
 */
export async function readSafetensors(
  file: ModelFile,
  visitor: SafetensorsVisitor,
  { onProgress, signal }: StreamOptions = {},
): Promise<void> {
  const { name, size } = file;
  // The header tells the file's size even where the server does not.
  let total = size;
  const source = byteSource(
    streamBytes(
      { name, size, stream: file.fleetingStream ?? file.stream },
      { signal, onProgress: onProgress && ((progress) => onProgress({ ...progress, total })) },
    ),
  );
  try {
    const start = new Uint8Array(8);
    const got = await source.fill(start);
    if (got < 8)
      throw new ModelFileError(`${name} is no safetensors file: it has ${got} bytes, and needs 8 at the least.`);
    const headerBytes = new DataView(start.buffer).getBigUint64(0, true);
    const limit = Math.min(MAX_HEADER_BYTES, (size ?? Infinity) - 8);
    if (headerBytes > limit) {
      throw new ModelFileError(
        `${name} is no safetensors file: it gives its header ${headerBytes} bytes, where at most ${limit} are possible.`,
      );
    }
    const header = new Uint8Array(Number(headerBytes));
    const headerGot = await source.fill(header);
    if (headerGot < header.length) {
      throw new ModelFileError(
        `${name} is cut off: it ends after ${headerGot} of the header's ${header.length} bytes.`,
      );
    }
    const dataStart = 8 + header.length;
    const tensors = parseHeader(header, name, size === undefined ? undefined : size - dataStart);
    total = dataStart + (tensors.at(-1)?.end ?? 0);

    const wanted = await visitor.header(tensors, metadataOf(header));
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

/** Whole rows, a multiple of 1024 bytes of them, where these fit. */
function chunkBytesOf({ shape, begin, end }: TensorInfo): number {
  const rowBytes = ((end - begin) / shape.reduce((a, b) => a * b, 1)) * (shape.at(-1) ?? 1);
  let step = rowBytes;
  while (step <= CHUNK_BYTES && step % CHUNK_STEP !== 0) step *= 2;
  return step <= CHUNK_BYTES ? CHUNK_BYTES - (CHUNK_BYTES % step) : CHUNK_BYTES;
}

/** Cuts a stream of chunks of any size into the sizes that are asked for. */
function byteSource(chunks: AsyncGenerator<Uint8Array>) {
  let rest = new Uint8Array(0) as Uint8Array;
  return {
    /** Gives how many bytes there were: fewer than `into` holds only at the end of the stream. */
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

/**
 * The tensors of a header, in the order of their bytes, which must cover the data from 0 on without holes or overlaps (and
 * all of its `dataBytes`, where given). `file` is the file's name, for messages.
 */
export function parseHeader(header: Uint8Array, file: string, dataBytes?: number): TensorInfo[] {
  const fail = (what: string, cause?: unknown) =>
    new ModelFileError(`${file} has an invalid header: ${what}.`, { cause });
  let json: unknown;
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(header);
    json = JSON.parse(text);
  } catch (cause) {
    throw fail(`it is not JSON in UTF-8 (${messageOf(cause)})`, cause);
  }
  if (!isObject(json)) throw fail('it is not a JSON object');
  const repeated = repeatedKey(text);
  if (repeated !== undefined) throw fail(`${JSON.stringify(repeated)} is in it twice`);

  const tensors: TensorInfo[] = [];
  for (const [name, entry] of Object.entries(json)) {
    if (name === '__metadata__') {
      if (entry === null || (isObject(entry) && Object.values(entry).every((value) => typeof value === 'string')))
        continue;
      throw fail('__metadata__ is not an object of strings');
    }
    tensors.push(parseTensor(name, entry, fail));
  }
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
  return tensors;
}

/** `__metadata__` of a header that parseHeader has checked. */
const metadataOf = (header: Uint8Array): Metadata => JSON.parse(new TextDecoder().decode(header)).__metadata__ ?? {};

function parseTensor(name: string, entry: unknown, fail: (what: string) => ModelFileError): TensorInfo {
  if (!isObject(entry)) throw fail(`${name} is not an object but ${JSON.stringify(entry)}`);
  const { dtype, shape, data_offsets: offsets } = entry;
  const bits = DTYPE_BITS.get(dtype);
  if (bits === undefined) throw fail(`${name} has dtype ${JSON.stringify(dtype)}, which is not one of the format's`);
  if (!isCounts(shape))
    throw fail(`${name} has shape ${JSON.stringify(shape)}, which is not a list of whole numbers >= 0`);
  if (!isCounts(offsets) || offsets.length !== 2 || offsets[0] > offsets[1]) {
    throw fail(`${name} has data_offsets ${JSON.stringify(offsets)}, which are not [begin, end]`);
  }
  const [begin, end] = offsets;
  const bytes = (shape.reduce((product, length) => product * length, 1) * bits) / 8;
  if (bytes !== end - begin) {
    throw fail(
      `${name}, ${dtype} of shape [${shape}], takes ${bytes} bytes, but its data_offsets [${offsets}] hold ${end - begin}`,
    );
  }
  return { name, dtype: String(dtype), shape, begin, end };
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isCounts = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((count) => Number.isSafeInteger(count) && count >= 0);

/** A key that valid JSON has twice in one object; JSON.parse silently keeps the last. */
function repeatedKey(json: string): string | undefined {
  const open: Set<string>[] = [];
  const colon = /\s*:/y;
  let stringStart = -1;
  // Escapes, quotes and braces one by one: an expression for whole strings overflows V8's stack at long ones.
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
