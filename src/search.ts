/**
 * An index of texts in the page, `modernbert-webgpu/search`: search by meaning, by words, or both, with any model that embeds. A file
 * that imports index.js, and one more where many vectors are compared on a GPU. The guide is docs/guide/search.md.
 */
import { type Embedder, laterEmbedder, openEmbedder } from './search/embedder';
import { readIndexFile } from './search/file';
import { OpenIndex } from './search/open-index';
import { checkImportOptions, checkIndexOptions } from './search/options';
import { checkSame, differenceOf } from './search/spec';
import type {
  IndexModel,
  IndexOptions,
  IndexSpec,
  IndexStore,
  Metadata,
  OpenOptions,
  SearchIndex,
} from './search/types';

export { indexedDbStore } from './search/indexed-db';
export type * from './search/types';

/**
 * Opens an index for `model`: what its store holds, without embedding it again, or an empty one. One word is embedded to find out the space of the
 * vectors. Throws an Error if the stored index was made with another model or other options (see `rebuild`), and TypeErrors and RangeErrors for wrong
 * options.
 *
 * `model` may be the promise that `loadModel` returns: a stored index then opens before its model is there, and words find at once. What needs the
 * model waits for it, `add` and the other searches, and rejects if it does not come or is not the one that the index was made with.
 *
 *     const index = await createIndex(model, { store: indexedDbStore('notes') });
 *
 * The search is exact. From 10,000 passages on it runs on the GPU, if there is one, else in this thread. Processor time of one search by vectors of 384
 * numbers there (Node 20, one core of a server) and their memory: 10,000 passages in float32 4 ms and 15 MB, in int8 5 ms and 4 MB, in binary 1 ms and
 * 4 MB; 50,000: 18 ms and 77 MB, 24 ms and 19 MB, 2 ms and 22 MB; 200,000: 72 ms and 307 MB, 94 ms and 78 MB, 7 ms and 87 MB. By words: up to 70 ms
 * among 10,000 passages of 85 words, whose words take 40 MB.
 */
export async function createIndex<M = Metadata>(
  model: IndexModel | Promise<IndexModel>,
  options: IndexOptions = {},
): Promise<SearchIndex<M>> {
  checkIndexOptions(options);
  const { rebuild = false, signal, onProgress } = options;
  const open = async () => openEmbedder(await model, options);
  const made = open();
  const embedderFor = async (stored: Stored) => {
    if (!stored || rebuild) return made;
    const { revision, ...versioned } = stored.header;
    const checked = made.then((embedder) => {
      const difference = differenceOf(versioned, embedder.spec);
      if (!difference) return embedder;
      throw new Error(
        `The stored index was made with ${difference}. Open it with the same, or pass rebuild: true, which embeds its ${stored.records.length} texts again.`,
      );
    });
    return model instanceof Promise ? laterEmbedder(specOf(versioned), checked) : checked;
  };
  return opened<M>(made, options, embedderFor, async (stored, index, embedder) => {
    if (!stored) return;
    if (!differenceOf(stored.header, embedder.spec)) return index.fill(stored.records);
    const rebuilt = new OpenIndex(embedder, undefined, false, false, 0);
    await rebuilt.add(
      stored.records.map(({ id, text, metadata }) => ({ id, text, metadata })),
      { signal, onProgress },
    );
    await index.fill(rebuilt.all());
    await index.replaceStored();
  });
}

/**
 * Opens an index from a file that `export` made, without embedding it again; it replaces what the store holds. Throws a ModelFileError for a file
 * that is cut off, broken, no index or of another version, an Error if it was made with another model, and TypeErrors and RangeErrors for wrong
 * options. `model` may be a promise, as for `createIndex`; with a store, which keeps only what the model suits, it is waited for.
 */
export async function importIndex<M = Metadata>(
  model: IndexModel | Promise<IndexModel>,
  file: Blob | BufferSource,
  options: OpenOptions = {},
): Promise<SearchIndex<M>> {
  checkImportOptions(options);
  const { spec, records } = await readIndexFile(file instanceof Blob ? file : new Blob([file]), options.signal);
  const { embeddingSpace, precision, metric, dim, chunk, document } = spec;
  const open = async () => {
    const loaded = await model;
    const dimensions = dim < loaded.info.embeddingSize ? dim : undefined;
    const vectors = { precision, metric, dimensions, chunk, document };
    const embedder = await openEmbedder(loaded, { ...vectors, ...options }).catch((cause: unknown) => {
      if (!(cause instanceof RangeError)) throw cause;
      throw new RangeError(
        `The index in the file was made with '${embeddingSpace}', and this model does not suit it: ${cause.message}`,
        { cause },
      );
    });
    checkSame(spec, embedder.spec, 'The index in the file');
    return embedder;
  };
  const made = open();
  const embedderFor = async () =>
    model instanceof Promise && !options.store ? laterEmbedder(specOf(spec), made) : made;
  return opened<M>(made, options, embedderFor, async (_, index) => {
    await index.fill(await records());
    await index.replaceStored();
  });
}

type Stored = Awaited<ReturnType<IndexStore['read']>>;

const specOf = ({ version, ...spec }: IndexSpec & { version: number }): IndexSpec => spec;

/**
 * An index with the embedder for what is stored, that `fill` fills from this or otherwise; if that fails, index and store are closed. `made`: the
 * model's embedder, whose failure is heard by who waits for it.
 */
async function opened<M>(
  made: Promise<Embedder>,
  { store, words = {}, gpu }: OpenOptions,
  embedderFor: (stored: Stored) => Promise<Embedder>,
  fill: (stored: Stored, index: OpenIndex<M>, embedder: Embedder) => Promise<void>,
): Promise<SearchIndex<M>> {
  made.catch(() => {});
  let index: OpenIndex<M> | undefined;
  try {
    const stored = await store?.read();
    const embedder = await embedderFor(stored);
    index = new OpenIndex<M>(embedder, store, words, gpu, stored?.header.revision ?? 0);
    await fill(stored, index, embedder);
    return index;
  } catch (error) {
    await (index ?? store)?.close();
    throw error;
  }
}
