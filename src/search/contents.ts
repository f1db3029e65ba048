/** What an index holds in memory: its documents, their passages, the passages' vectors and words. */
import type { WebGPU } from '../api/types';
import { fuse, NEAREST, type Scored } from './fuse';
import { GpuScan } from './gpu-scan';
import { nearest, similarity } from './nearest';
import { type Bounds, spansOf } from './spans';
import type { IndexHit, IndexRecord, IndexSearchOptions, IndexSpec, Metadata, Passage, WordOptions } from './types';
import { type Row, VectorTable } from './vector-table';
import { type WordIndex, wordIndex } from './words';

interface StoredDocument {
  id: string;
  text: string;
  metadata: Metadata;
  passages: StoredPassage[];
}

interface StoredPassage extends Passage {
  document: StoredDocument;
  /** Its place in the list of all passages, and its vector's in the table. */
  row: number;
}

/** A document and the passage that was found. */
interface Found {
  passage: StoredPassage;
  score: number;
}

type SearchOptions = Required<Pick<IndexSearchOptions, 'topK' | 'mode'>> & Pick<IndexSearchOptions, 'filter'>;

export class Contents {
  private readonly documents = new Map<string, StoredDocument>();
  private readonly passages: StoredPassage[] = [];
  private readonly vectors: VectorTable;
  private readonly words: WordIndex<StoredPassage> | undefined;
  private readonly scan: GpuScan;

  constructor(
    private readonly spec: IndexSpec,
    words: WordOptions | false,
    gpu: WebGPU | false | undefined,
  ) {
    this.vectors = new VectorTable(spec.precision, spec.dim);
    this.scan = new GpuScan(this.vectors, gpu);
    const textOf = ({ document, start, end }: StoredPassage) => document.text.slice(start, end);
    this.words = words ? wordIndex(textOf, words) : undefined;
  }

  get size(): number {
    return this.documents.size;
  }

  get passageCount(): number {
    return this.passages.length;
  }

  /** Whether a text's vectors are here. */
  hasText(id: string, text: string): boolean {
    return this.documents.get(id)?.text === text;
  }

  /** Whether adding the record would change nothing. */
  isSame({ id, text, metadata }: IndexRecord): boolean {
    return this.hasText(id, text) && JSON.stringify(this.documents.get(id)?.metadata) === JSON.stringify(metadata);
  }

  has(id: string): boolean {
    return this.documents.has(id);
  }

  /** A document with its vectors, as plain data. */
  record(id: string): IndexRecord {
    const { text, metadata, passages } = this.documents.get(id)!;
    const vectors = this.vectors.copy(passages.map(({ row }) => row));
    return { id, text, metadata, passages: passages.map(({ start, end }) => ({ start, end })), vectors };
  }

  ids(): IterableIterator<string> {
    return this.documents.keys();
  }

  *all(): IterableIterator<Pick<StoredDocument, 'id' | 'text' | 'metadata'>> {
    for (const { id, text, metadata } of this.documents.values()) yield { id, text, metadata };
  }

  /** Makes room, so that what follows cannot fail half-way for want of memory. */
  reserve(passages: number): void {
    this.vectors.reserve(this.passages.length + passages);
  }

  put({ id, text, metadata, passages, vectors }: IndexRecord): void {
    this.remove(id);
    const document: StoredDocument = { id, text, metadata, passages: [] };
    const { dim } = this.spec;
    for (const [i, { start, end }] of passages.entries()) {
      const row = this.vectors.push(vectors.subarray(i * dim, (i + 1) * dim));
      const passage = { document, start, end, row };
      document.passages.push(passage);
      this.passages.push(passage);
      this.words?.add(passage);
    }
    this.documents.set(id, document);
  }

  remove(id: string): void {
    for (const passage of this.documents.get(id)?.passages ?? []) {
      this.words?.remove(passage);
      this.vectors.remove(passage.row);
      const last = this.passages.pop()!;
      if (last === passage) continue;
      last.row = passage.row;
      this.passages[last.row] = last;
    }
    this.documents.delete(id);
  }

  /** Where vectors are compared now. */
  get device(): 'cpu' | 'gpu' {
    return this.scan.isReady ? 'gpu' : 'cpu';
  }

  /** Copies many vectors to the GPU in the background. */
  prepare(): void {
    void this.scan.prepare();
  }

  /** Frees what is on the GPU. */
  close(): void {
    this.scan.close();
  }

  /** The best documents. `vector`: the query's, unless only words are searched. */
  async search(query: string, vector: Row | undefined, options: SearchOptions): Promise<IndexHit[]> {
    const { revision } = this.vectors;
    const allowed = options.filter && this.allowed(options.filter);
    const bounds = vector && (await this.scan.bounds(vector, allowed));
    if (this.vectors.revision === revision) return this.found(query, vector, options, allowed, bounds);
    return this.found(query, vector, options, options.filter && this.allowed(options.filter), undefined);
  }

  private found(
    query: string,
    vector: Row | undefined,
    { topK, mode }: SearchOptions,
    allowed: Uint8Array | undefined,
    bounds: Bounds | undefined,
  ): IndexHit[] {
    const depth = mode === 'hybrid' ? Math.max(topK, NEAREST) : topK;
    const byVectors = vector && this.byVectors(vector, depth, allowed, bounds);
    const byWords = mode === 'vectors' ? undefined : this.byWords(query, allowed);
    const found = byVectors && byWords ? fused(byVectors, byWords, depth) : (byVectors ?? byWords!.found);
    return found.slice(0, topK).map(({ passage: { document, start, end, row }, score }) => ({
      id: document.id,
      text: document.text,
      metadata: document.metadata,
      score,
      ...(vector && { similarity: similarity(vector, this.vectors, row) }),
      ...(this.spec.chunk && { passage: { start, end } }),
    }));
  }

  /** A number per passage, 0 for those that the filter leaves out. */
  private allowed(filter: NonNullable<IndexSearchOptions['filter']>): Uint8Array {
    const allowed = new Uint8Array(this.passages.length);
    for (const { id, metadata, passages } of this.documents.values()) {
      if (filter(metadata, id)) for (const { row } of passages) allowed[row] = 1;
    }
    return allowed;
  }

  /** A document's passages may fill the first places, so more are asked for until there are enough documents. */
  private byVectors(vector: Row, depth: number, allowed: Uint8Array | undefined, bounds: Bounds | undefined): Found[] {
    for (let rows = depth; ; rows *= 4) {
      const spans = bounds && spansOf(bounds, rows, this.vectors.count);
      const found = nearest(vector, this.vectors, rows, allowed, spans);
      const documents = firstOfEach(found.map(({ row, score }) => ({ passage: this.passages[row], score })));
      if (documents.length >= depth || found.length < rows) return documents.slice(0, depth);
    }
  }

  private byWords(query: string, allowed: Uint8Array | undefined): { found: Found[]; full: number } {
    const { hits, full } = this.words!.search(query, allowed && (({ row }) => allowed[row] !== 0));
    return { found: firstOfEach(hits), full };
  }
}

/** The best passage of each document. */
function firstOfEach(found: Found[]): Found[] {
  const seen = new Set<StoredDocument>();
  return found.filter(({ passage: { document } }) => !seen.has(document) && seen.add(document));
}

/**
 * Both lists of documents as one; the passage is that by vectors, if they found the document. The first `depth` are right: of those by words that are
 * further behind, only what vectors found can be among them.
 */
function fused(byVectors: Found[], byWords: { found: Found[]; full: number }, depth: number): Found[] {
  const near = new Set(byVectors.map(({ passage }) => passage.document));
  const found = byWords.found.filter(({ passage }, i) => i < depth || near.has(passage.document));
  const passages = new Map([...found, ...byVectors].map(({ passage }) => [passage.document, passage]));
  const scored = (list: Found[]): Scored<StoredDocument>[] =>
    list.map(({ passage, score }) => ({ item: passage.document, score }));
  return fuse(scored(byVectors), scored(found), byWords.full).map(({ item, score }) => ({
    passage: passages.get(item)!,
    score,
  }));
}
