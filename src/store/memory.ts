import type { ModelFile, ModelFiles } from '../formats/model-files';

/** Files by their names, in the browser's Blobs, which it may move to the disk; undefined for one that does not exist. */
export type Memory = Map<string, Blob | undefined>;

/** `files`, of which each file that is read to its end comes from `memory` from then on. */
export function remembered(files: ModelFiles, memory: Memory): ModelFiles {
  return {
    ...files,
    async open(name, signal, isOptional) {
      signal?.throwIfAborted();
      const known = memory.get(name);
      if (known) return { name, size: known.size, stream: known.stream() };
      if (memory.has(name)) return undefined;
      const file = await files.open(name, signal, isOptional);
      if (!file && !files.isUnsure?.(name)) memory.set(name, undefined);
      return file && remembering(file, memory);
    },
  };
}

function remembering(file: ModelFile, memory: Memory): ModelFile {
  const { name, size } = file;
  const parts: Blob[] = [];
  let length = 0;
  const stream = file.stream.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>(
      {
        transform(chunk, controller) {
          parts.push(new Blob([chunk as Uint8Array<ArrayBuffer>]));
          length += chunk.byteLength;
          controller.enqueue(chunk);
        },
        flush() {
          if (size === undefined || length === size) memory.set(name, new Blob(parts));
        },
      },
      undefined,
      { highWaterMark: 0 },
    ),
  );
  return { ...file, stream, fleetingStream: undefined };
}
