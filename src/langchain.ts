/**
 * Entry for LangChain.js, `modernbert-webgpu/langchain`: a loaded model as its Embeddings and as its document compressor. Nothing of LangChain is
 * imported: it goes by the shape of these objects.
 */
import type { EmbedOptions, Kind } from './api/embeddings';
import { checkOptions, type OptionNames } from './api/options';
import type { Model } from './api/types';

/** What is put before a text: a prompt of the checkpoint by its name, or the prompt itself. Default: as `kind` says in EmbedOptions. */
export type PromptChoice = Pick<EmbedOptions, 'promptName' | 'prompt'>;

export interface LangChainEmbeddingsOptions extends Pick<EmbedOptions, 'dimensions' | 'truncate'> {
  query?: PromptChoice;
  document?: PromptChoice;
}

/** LangChain's EmbeddingsInterface. */
export interface LangChainEmbeddings {
  /** [documents, dim], with the model's prompt for documents. */
  embedDocuments(documents: string[]): Promise<number[][]>;
  /** [dim], with the model's prompt for queries. */
  embedQuery(query: string): Promise<number[]>;
}

const OPTIONS: OptionNames<LangChainEmbeddingsOptions> = {
  dimensions: true,
  truncate: true,
  query: true,
  document: true,
};
const PROMPTS: OptionNames<PromptChoice> = { promptName: true, prompt: true };

/** A model that embeds, for LangChain's vector stores and retrievers. Texts that are too long are an error without `truncate`. */
export function embeddings(model: Model, options: LangChainEmbeddingsOptions = {}): LangChainEmbeddings {
  checkOptions('embeddings', options, OPTIONS);
  const { query, document, ...rest } = options;
  checkOptions('query', query, PROMPTS);
  checkOptions('document', document, PROMPTS);
  const embed = async (texts: string[], kind: Kind, prompt: PromptChoice | undefined) =>
    (await model.embed(texts, { ...rest, ...prompt, kind })).toArrays();
  return {
    embedDocuments: (documents) => embed(documents, 'document', document),
    embedQuery: async (text) => (await embed([text], 'query', query))[0],
  };
}

/** What LangChain's documents have. */
export interface LangChainDocument {
  pageContent: string;
  // biome-ignore lint/suspicious/noExplicitAny: LangChain's own type
  metadata: Record<string, any>;
}

export interface DocumentCompressorOptions {
  /** Number of documents to return, best first. Default: all. */
  topN?: number;
  /** Cut query and document if they are too long together, instead of throwing a RangeError. Default false. */
  truncate?: boolean;
}

/** LangChain's BaseDocumentCompressor. */
export interface DocumentCompressor {
  /** Copies of the documents that answer the query best, best first, with the score as `metadata.relevanceScore`. */
  compressDocuments<D extends LangChainDocument>(documents: D[], query: string): Promise<D[]>;
}

const COMPRESSOR_OPTIONS: OptionNames<DocumentCompressorOptions> = { topN: true, truncate: true };

/** A model that reranks (a cross-encoder), for LangChain's ContextualCompressionRetriever. */
export function documentCompressor(model: Model, options: DocumentCompressorOptions = {}): DocumentCompressor {
  checkOptions('documentCompressor', options, COMPRESSOR_OPTIONS);
  const { topN: topK, truncate } = options;
  return {
    async compressDocuments(documents, query) {
      if (documents.length === 0) return [];
      const texts = documents.map(({ pageContent }) => pageContent);
      const ranked = await model.rerank(query, texts, { topK, truncate });
      return ranked.map(({ index, score }) => withScore(documents[index], score));
    },
  };
}

/** A copy, of the document's own class. */
const withScore = <D extends LangChainDocument>(document: D, relevanceScore: number): D =>
  Object.assign(Object.create(Object.getPrototypeOf(document)), document, {
    metadata: { ...document.metadata, relevanceScore },
  });
