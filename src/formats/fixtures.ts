/** Small checkpoints for the tests of this folder. */
import type { ModelFile } from './model-files';

/** A safetensors file with this header (a string as it is, an object as JSON) and these bytes of data. */
export function safetensorsBytes(header: unknown, data: Uint8Array = new Uint8Array()): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(data, 8 + text.length);
  return bytes;
}

/** `n` bytes that depend on their index. */
export const numberedBytes = (n: number): Uint8Array<ArrayBuffer> =>
  Uint8Array.from({ length: n }, (_, i) => (i * 7 + (i >> 8)) & 0xff);

interface StreamLog {
  cancelled: unknown[];
  pulled: number;
}

/** A file that streams in chunks of `step` bytes, and a log of what its reader did. */
export function fileOf(
  bytes: Uint8Array,
  { name = 'model.safetensors', step = bytes.length || 1, size = bytes.length as number | undefined } = {},
): ModelFile & { log: StreamLog } {
  const log: StreamLog = { cancelled: [], pulled: 0 };
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (log.pulled >= bytes.length) return controller.close();
        controller.enqueue(bytes.slice(log.pulled, log.pulled + step));
        log.pulled += step;
      },
      cancel: (reason) => void log.cancelled.push(reason),
    },
    { highWaterMark: 0 },
  );
  return { name, size, stream, log };
}
