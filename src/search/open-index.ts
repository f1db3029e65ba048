/** An index: its calls, and how they keep memory and store alike. */
import { unlessAborted } from '../api/errors';
import type { WebGPU } from '../api/types';
import { inBatches } from '../index';
import { turns } from '../turns';
import { Contents } from './contents';
import { checkedDocument } from './documents';
import type { Checked, Embedder } from './embedder';
import { indexFile } from './file';
import { checkAddOptions, searchOptions } from './options';
import { checkSame } from './spec';
import type {
  AddOptions,
  IndexDocument,
  IndexHeader,
  IndexHit,
  IndexRecord,
  IndexSearchOptions,
  IndexStore,
  OpenOptions,
  SearchIndex,
} from './types';

/** Documents per batch. */
const BATCH = 64;

type Documents<M> = IndexDocument<M> | Iterable<IndexDocument<M>> | AsyncIterable<IndexDocument<M>>;

/** An index that holds nothing yet. `revision`: of what is stored. */
export class OpenIndex<M> implements SearchIndex<M> {
  private contents: Contents;
  private isClosed = false;
  /** The last change under way; the next one waits for it. */
  private last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly embedder: Embedder,
    private readonly store: IndexStore | undefined,
    private readonly words: Exclude<OpenOptions['words'], undefined>,
    private readonly gpu: WebGPU | false | undefined,
    private revision: number,
  ) {
    this.contents = new Contents(embedder.spec, words, gpu);
  }

  get size(): number {
    return this.contents.size;
  }

  get passages(): number {
    return this.contents.passageCount;
  }

  get device(): 'cpu' | 'gpu' {
    return this.contents.device;
  }

  documents(): IterableIterator<Required<IndexDocument<M>>> {
    this.checkOpen();
    return this.contents.all() as IterableIterator<Required<IndexDocument<M>>>;
  }

  async add(documents: Documents<M>, options: AddOptions = {}): Promise<void> {
    checkAddOptions(options);
    this.checkOpen();
    const { signal, onProgress } = options;
    const { inputs, total } = inputsOf(documents);
    let [done, passages] = [0, 0];
    const report = () => onProgress?.({ done, total, passages });
    const embedded = (more: number) => {
      passages += more;
      if (more > 0) report();
    };
    const records = (batch: Checked[], { signal }: { signal: AbortSignal }) => this.recordsOf(batch, signal, embedded);
    report();
    let batch: IndexRecord[] = [];
    const commit = async () => {
      await unlessAborted(this.change(batch, []), signal);
      done += batch.length;
      batch = [];
      report();
    };
    for await (const record of inBatches(inputs, records, { size: BATCH, signal })) {
      if (batch.push(record) === BATCH) await commit();
    }
    if (batch.length > 0) await commit();
    this.contents.prepare();
  }

  async remove(ids: string | Iterable<string>): Promise<number> {
    this.checkOpen();
    const list = typeof ids === 'string' ? [ids] : [...ids];
    for (const id of list) {
      if (typeof id !== 'string') throw new TypeError(`An id must be a string, it is a ${typeof id}.`);
    }
    return this.change([], list);
  }

  async search(query: string, options: IndexSearchOptions<M> = {}): Promise<IndexHit<M>[]> {
    this.checkOpen();
    const {
      signal,
      vector: known,
      ...checked
    } = searchOptions(query, options, this.words !== false, this.embedder.spec);
    signal?.throwIfAborted();
    const isBlank = query.trim() === '';
    if ((isBlank && !known) || this.size === 0) return [];
    const mode = isBlank ? 'vectors' : checked.mode;
    const vector = mode === 'words' ? undefined : (known ?? (await this.embedder.query(query, signal)));
    signal?.throwIfAborted();
    this.checkOpen();
    const hits = await this.contents.search(query, vector, { ...checked, mode } as Parameters<Contents['search']>[2]);
    signal?.throwIfAborted();
    return hits as IndexHit<M>[];
  }

  async export(): Promise<Blob> {
    this.checkOpen();
    const { contents, embedder } = this;
    return indexFile(embedder.spec, contents.passageCount, [...contents.ids()], (id) => contents.record(id));
  }

  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    await this.last;
    this.replaceContents(new Contents(this.embedder.spec, false, false));
    await this.store?.close();
  }

  /** All documents, as they are stored. */
  all(): IndexRecord[] {
    return Array.from(this.contents.ids(), (id) => this.contents.record(id));
  }

  /** Takes these documents in the place of those that are here. The store is left as it is. */
  async fill(records: readonly IndexRecord[]): Promise<void> {
    const contents = new Contents(this.embedder.spec, this.words, this.gpu);
    contents.reserve(records.reduce((sum, { passages }) => sum + passages.length, 0));
    const pause = turns(undefined);
    for (const record of records) {
      const { id, passages, vectors } = record;
      if (vectors.length !== passages.length * this.embedder.spec.dim) {
        throw new Error(`The stored index is broken: document '${id}' has ${vectors.length} numbers in its vectors.`);
      }
      contents.put(record);
      await pause();
    }
    this.replaceContents(contents);
    contents.prepare();
  }

  /** Stores all that is here in the place of what is stored. */
  async replaceStored(): Promise<void> {
    if (!this.store) return;
    const put = this.all();
    const header = this.header(true);
    if (!(await this.store.write({ base: this.revision, header, clear: true, remove: [], put }))) {
      throw new Error('Another page has written to the stored index meanwhile. Try again.');
    }
    this.revision = header.revision;
  }

  /** Those of texts that have not changed keep their vectors. */
  private async recordsOf(
    documents: Checked[],
    signal: AbortSignal,
    onEmbedded: (passages: number) => void,
  ): Promise<IndexRecord[]> {
    const known = new Map<Checked, IndexRecord>();
    for (const document of documents) {
      if (this.contents.hasText(document.id, document.text)) {
        known.set(document, { ...this.contents.record(document.id), metadata: document.metadata });
      }
    }
    const changed = documents.filter((document) => !known.has(document));
    const made = changed.length > 0 ? await this.embedder.records(changed, signal, onEmbedded) : [];
    for (const [i, document] of changed.entries()) known.set(document, made[i]);
    return documents.map((document) => known.get(document)!);
  }

  /** First in the store, then here. Resolves to the number of documents that were removed. */
  private change(records: readonly IndexRecord[], ids: readonly string[]): Promise<number> {
    const changed = this.last.then(async () => {
      for (;;) {
        this.checkOpen();
        // The last one of an id.
        const latest = new Map(records.map((record) => [record.id, record]));
        const put = [...latest.values()].filter((record) => !this.contents.isSame(record));
        const remove = [...new Set(ids)].filter((id) => this.contents.has(id));
        this.contents.reserve(put.reduce((sum, { passages }) => sum + passages.length, 0));
        // Without a change it only finds out whether another page has made one, of which this page does not know.
        const header = this.header(put.length + remove.length > 0);
        if (this.store && !(await this.store.write({ base: this.revision, header, clear: false, remove, put }))) {
          await this.readAgain();
          continue;
        }
        this.revision = header.revision;
        for (const id of remove) this.contents.remove(id);
        for (const record of put) this.contents.put(record);
        return remove.length;
      }
    });
    this.last = changed.catch(() => {});
    return changed;
  }

  /** After another page has written. */
  private async readAgain(): Promise<void> {
    const stored = await this.store!.read();
    if (stored) checkSame(stored.header, this.embedder.spec, 'Another page has replaced the stored index: it');
    await this.fill(stored?.records ?? []);
    this.revision = stored?.header.revision ?? 0;
  }

  /** The revisions of a store begin with any number, so that those of one that was deleted and made again are others. */
  private header(isChange: boolean): IndexHeader {
    const next = this.revision > 0 ? this.revision + 1 : Math.floor(1 + Math.random() * 2 ** 40);
    return { version: 1, revision: isChange ? next : this.revision, ...this.embedder.spec };
  }

  private replaceContents(contents: Contents): void {
    this.contents.close();
    this.contents = contents;
  }

  private checkOpen(): void {
    if (this.isClosed) throw new Error('The index is closed. Create it again.');
  }
}

/** Checked documents, those of a list all at once, and their number if it is known. */
function inputsOf(documents: unknown): {
  inputs: Iterable<Checked> | AsyncIterable<Checked>;
  total: number | undefined;
} {
  if (typeof documents === 'object' && documents !== null) {
    if (Array.isArray(documents)) return { inputs: documents.map(checkedDocument), total: documents.length };
    if (Symbol.asyncIterator in documents || Symbol.iterator in documents) {
      return { inputs: checkedOneByOne(documents as AsyncIterable<unknown>), total: undefined };
    }
  }
  return { inputs: [checkedDocument(documents, 0)], total: 1 };
}

async function* checkedOneByOne(documents: AsyncIterable<unknown>): AsyncGenerator<Checked> {
  let index = 0;
  for await (const document of documents) yield checkedDocument(document, index++);
}
