/** What an index asks of its model: the vectors of documents and queries, and which space they are in. */
import type { Chunk } from '../api/calls';
import type { Embeddings, Kind } from '../api/embeddings';
import { unlessAborted } from '../api/errors';
import type { ModelInfo } from '../api/types';
import type {
  IndexDocument,
  IndexModel,
  IndexPrompt,
  IndexRecord,
  IndexSpec,
  Metadata,
  OpenOptions,
  VectorOptions,
} from './types';
import type { Row } from './vector-table';

/** As the command line's `index`: short enough to read at a glance. */
const PASSAGE_TOKENS = 128;

/** A document that has been checked. */
export type Checked = Required<IndexDocument<Metadata>>;

export interface Embedder {
  spec: IndexSpec;
  /** Cuts documents into passages and embeds these. `onEmbedded` takes the number of further passages. */
  records(documents: Checked[], signal: AbortSignal, onEmbedded: (passages: number) => void): Promise<IndexRecord[]>;
  query(text: string, signal: AbortSignal | undefined): Promise<Row>;
}

/**
 * Embeds one word as a document and as a query, to find out the vectors' space and size, and whether model and options go together. Throws what
 * `embed` throws, and a RangeError for passages that the model cannot read.
 */
export async function openEmbedder(
  model: IndexModel,
  options: VectorOptions & Pick<OpenOptions, 'query' | 'signal'>,
): Promise<Embedder> {
  if (typeof model?.embed !== 'function') throw new TypeError('An index needs a loaded model: await loadModel(…).');
  const { info } = model;
  const { precision = 'float32', dimensions, document = {}, query = {}, signal } = options;
  const metric = options.metric ?? (info.similarity === 'dot' && precision === 'float32' ? 'dot' : 'cosine');
  const chunk = await chunkOf(model, options.chunk, document);
  const embed = (texts: string[], kind: Kind, more: { signal?: AbortSignal; onProgress?: (p: Done) => void }) =>
    model.embed<'float32' | 'int8'>(texts, {
      ...more,
      ...(kind === 'query' ? query : document),
      kind,
      dimensions,
      normalize: metric === 'cosine' ? true : undefined, // else as the checkpoint was trained
      precision: precision === 'float32' ? 'float32' : 'int8',
      // Passages fit. A token less or more where the prompt meets the text is no reason to fail.
      truncate: kind === 'document' && chunk !== false,
    });
  const [ofDocument, ofQuery] = await Promise.all([
    embed(['a'], 'document', { signal }),
    embed(['a'], 'query', { signal }),
  ]);
  const spaces = { document: spaceOf(ofDocument, info), query: spaceOf(ofQuery, info) };
  const inSpace = <E extends Embeddings<'float32' | 'int8'>>(embeddings: E, kind: Kind): E => {
    const space = spaceOf(embeddings, model.info);
    if (space === spaces[kind]) return embeddings;
    throw new Error(
      `The model has changed since the index was opened: its ${kind} vectors were '${spaces[kind]}' and are now '${space}'. Set its adapter back, or open another index.`,
    );
  };
  const spec: IndexSpec = {
    embeddingSpace: spaces.document,
    precision,
    metric,
    dim: ofDocument.dim,
    chunk,
    document,
  };
  return {
    spec,
    async records(documents, signal, onEmbedded) {
      const names = documents.map(({ id }) => `Document '${id}'`);
      const texts = documents.map(({ text }) => text);
      const passages: Pick<Chunk, 'text' | 'start' | 'end'>[][] = chunk
        ? await model.chunk(texts, { ...chunk, signal }).catch(naming(names))
        : texts.map((text) => [{ text, start: 0, end: text.length }]);
      let before = 0;
      const onProgress = ({ done }: Done) => {
        onEmbedded(done - before);
        before = done;
      };
      const owners = passages.flatMap((own, i) => own.map(() => names[i]));
      const list = passages.flat().map(({ text }) => text);
      const { data, dim } = inSpace(
        await embed(list, 'document', { signal, onProgress }).catch(naming(owners)),
        'document',
      );
      onProgress({ done: list.length });
      let row = 0;
      return documents.map(({ id, text, metadata }, i) => {
        const own = passages[i].map(({ start, end }) => ({ start, end }));
        const vectors = data.slice(row * dim, (row + own.length) * dim);
        row += own.length;
        return { id, text, metadata, passages: own, vectors };
      });
    },
    async query(text, signal) {
      const embeddings = await embed([text], 'query', { signal }).catch(naming(['The query']));
      return inSpace(embeddings, 'query').data;
    },
  };
}

/**
 * The embedder of an index whose vectors are here, while its model is still to come: what needs the model waits for it, and fails as it does.
 * `opened` must reject if the model makes other vectors than those of `spec`.
 */
export function laterEmbedder(spec: IndexSpec, opened: Promise<Embedder>): Embedder {
  opened.catch(() => {}); // heard by who waits
  return {
    spec,
    records: async (documents, signal, onEmbedded) =>
      (await unlessAborted(opened, signal)).records(documents, signal, onEmbedded),
    query: async (text, signal) => (await unlessAborted(opened, signal)).query(text, signal),
  };
}

interface Done {
  done: number;
}

/**
 * Identifies the space of vectors: those of two spaces cannot be compared. Libraries before `embeddingSpace` leave what the model says of itself,
 * which does not have its name.
 */
function spaceOf({ embeddingSpace, dim }: { embeddingSpace?: string; dim: number }, info: ModelInfo): string {
  if (embeddingSpace !== undefined) return embeddingSpace;
  const { config, commit = '', dtype, loraAdapter = '', pooling } = info;
  const name = config._name_or_path ?? config.model_type;
  return [`${name}@${commit}`, dtype, loraAdapter, pooling.join('+'), dim].join('/');
}

/** The sizes of passages. With the prompt they must fit the model. */
async function chunkOf(
  model: IndexModel,
  chunk: VectorOptions['chunk'] = {},
  { prompt, promptName = model.info.promptNames.document }: IndexPrompt,
): Promise<IndexSpec['chunk']> {
  if (chunk === false) return false;
  const { info } = model;
  const text = prompt ?? info.prompts[promptName ?? ''] ?? '';
  const tokens = async (text: string) => (await model.tokenize(text)).ids.length;
  const used = text === '' ? 0 : (await tokens(text)) - (await tokens(''));
  const most = Math.min(info.maxTokens, info.maxTokensPerPass) - used;
  const maxTokens = chunk.maxTokens ?? Math.min(PASSAGE_TOKENS, most);
  if (!Number.isInteger(maxTokens) || maxTokens < 1 || maxTokens > most) {
    throw new RangeError(
      `chunk.maxTokens must be an integer up to ${most}${used > 0 ? `, what the prompt's ${used} tokens leave of the model's limit` : ", the model's limit"}; it is ${maxTokens}.`,
    );
  }
  const sizes = { maxTokens, overlap: chunk.overlap ?? Math.floor(maxTokens / 8) };
  await model.chunk('a', sizes); // refuses wrong ones
  return sizes;
}

/** Rethrows an error with a name in the place of "Text 3". */
const naming =
  (names: string[]) =>
  (error: unknown): never => {
    if (error instanceof Error && !(error instanceof DOMException)) {
      error.message = error.message.replace(/^Text (\d+)/, (_, i) => names[i]);
    }
    throw error;
  };
