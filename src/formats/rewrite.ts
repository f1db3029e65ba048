/** One safetensors file made of another while that is read. */
import type { ModelFile } from './model-files';
import type { ReadOptions } from './read';
import { type Entry, type Metadata, readSafetensors, safetensorsHeader, type TensorInfo } from './safetensors';

export type RewrittenFile = ModelFile & { size: number; tensors: string[] };

type Write = (bytes: Uint8Array) => Promise<void>;

export interface Rewriter {
  /** The tensors of the result, in the order of their bytes, which `chunk` and `end` write. */
  header(tensors: TensorInfo[], metadata: Metadata): { entries: Entry[]; metadata: Metadata };
  /** See SafetensorsVisitor; called for every tensor of the source. */
  chunk(tensor: TensorInfo, offset: number, bytes: Uint8Array<ArrayBuffer>, write: Write): Promise<void>;
  /** After the last tensor. */
  end?(write: Write): Promise<void>;
}

/**
 * The result as a stream that holds a few MB: chunks of the source become chunks of the result. Resolves once the header of the source is
 * read. The stream fails with what the source or the rewriter throws; cancelling it cancels the source.
 */
export function rewriteSafetensors(file: ModelFile, rewriter: Rewriter, options: ReadOptions): Promise<RewrittenFile> {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const write: Write = (bytes) => writer.write(bytes);
  return new Promise((resolve, reject) => {
    const visitor = {
      async header(tensors: TensorInfo[], metadata: Metadata) {
        const result = rewriter.header(tensors, metadata);
        const { header, size } = safetensorsHeader(result.entries, result.metadata);
        resolve({ name: file.name, size, stream: readable, tensors: result.entries.map(({ name }) => name) });
        await write(header);
        return new Set(tensors.map(({ name }) => name));
      },
      chunk: (tensor: TensorInfo, offset: number, bytes: Uint8Array<ArrayBuffer>) =>
        rewriter.chunk(tensor, offset, bytes, write),
    };
    readSafetensors(file, visitor, options)
      .then(() => rewriter.end?.(write))
      .then(
        () => writer.close(),
        (error) => {
          reject(error);
          return writer.abort(error);
        },
      )
      .catch(() => {}); // nobody reads the stream any more
  });
}
