/**
 * Entry for Vercel's AI SDK, `modernbert-webgpu/ai-sdk`: a loaded model for its `embed`, `embedMany` and `rerank`. Nothing of the SDK is imported: it
 * goes by the shape of these objects.
 */
import type { EmbedOptions } from './api/embeddings';
import { wrongChoice } from './api/errors';
import { checkOptions, type OptionNames } from './api/options';
import type { Model } from './api/types';

/** Of the SDK's interfaces: `v4` for version 7, `v3` for version 6, which takes no other, and 7. */
export type SpecificationVersion = 'v3' | 'v4';

/** A call's own options are under this name: `providerOptions: { 'modernbert-webgpu': { kind: 'query' } }`. */
const PROVIDER = 'modernbert-webgpu';

/** Options of a model of either kind. */
interface ModelOptions<V extends SpecificationVersion> {
  /** A name for logs. Default: the checkpoint's model_type. */
  modelId?: string;
  /** Default v4. */
  specificationVersion?: V;
}

/** What a call may also set, by providerOptions. */
export type EmbeddingCallOptions = Pick<EmbedOptions, 'kind' | 'promptName' | 'prompt' | 'dimensions' | 'truncate'>;

export interface EmbeddingModelOptions<V extends SpecificationVersion = SpecificationVersion>
  extends EmbeddingCallOptions,
    ModelOptions<V> {}

export interface RerankingCallOptions {
  /** Cut query and document if they are too long together, instead of throwing a RangeError. Default false. */
  truncate?: boolean;
  /** Cut documents so that query and document have at most this many tokens. */
  maxTokens?: number;
}

export interface RerankingModelOptions<V extends SpecificationVersion = SpecificationVersion>
  extends RerankingCallOptions,
    ModelOptions<V> {}

/** What the SDK passes to a call of any model. */
interface SdkCall {
  abortSignal?: AbortSignal;
  // biome-ignore lint/suspicious/noExplicitAny: JSON of any shape
  providerOptions?: Record<string, Record<string, any>>;
}

/** The SDK's EmbeddingModelV4, or V3. */
export interface EmbeddingModel<V extends SpecificationVersion = 'v4'> {
  readonly specificationVersion: V;
  readonly provider: string;
  readonly modelId: string;
  readonly maxEmbeddingsPerCall: number;
  readonly supportsParallelCalls: boolean;
  doEmbed(options: SdkCall & { values: string[]; dimensions?: number }): Promise<{
    embeddings: number[][];
    usage: { tokens: number };
    warnings: [];
  }>;
}

/** Texts, or objects of any shape. */
type SdkDocuments = { type: 'text'; values: string[] } | { type: 'object'; values: object[] };

interface SdkWarning {
  type: 'compatibility';
  feature: string;
  details: string;
}

/** The SDK's RerankingModelV4, or V3. */
export interface RerankingModel<V extends SpecificationVersion = 'v4'> {
  readonly specificationVersion: V;
  readonly provider: string;
  readonly modelId: string;
  doRerank(options: SdkCall & { query: string; documents: SdkDocuments; topN?: number }): Promise<{
    ranking: { index: number; relevanceScore: number }[];
    warnings: SdkWarning[];
  }>;
}

const MODEL_OPTIONS: OptionNames<ModelOptions<SpecificationVersion>> = { modelId: true, specificationVersion: true };
const EMBED_OPTIONS: OptionNames<EmbeddingCallOptions> = {
  kind: true,
  promptName: true,
  prompt: true,
  dimensions: true,
  truncate: true,
};
const RERANK_OPTIONS: OptionNames<RerankingCallOptions> = { truncate: true, maxTokens: true };
const VERSIONS = ['v3', 'v4'];

/** What both kinds of models say of themselves. Throws a TypeError or RangeError for wrong options. */
function identity<V extends SpecificationVersion>(
  what: string,
  { info }: Model,
  options: ModelOptions<V>,
  names: Record<string, true>,
) {
  checkOptions(what, options, { ...MODEL_OPTIONS, ...names });
  const { modelId = String(info.config.model_type ?? info.task), specificationVersion = 'v4' as V } = options;
  if (!VERSIONS.includes(specificationVersion)) {
    throw wrongChoice('specificationVersion', VERSIONS, specificationVersion);
  }
  return { specificationVersion, provider: PROVIDER, modelId };
}

/** The options for this library in a call of the SDK. */
function callOptions({ providerOptions }: SdkCall, names: Record<string, true>): object | undefined {
  const options = providerOptions?.[PROVIDER];
  checkOptions(`providerOptions['${PROVIDER}']`, options, names);
  return options;
}

/**
 * A model that embeds, for the SDK's `embed` and `embedMany`. Make one with `kind: 'query'` and one with `kind: 'document'` of the same model if it
 * distinguishes them. `usage.tokens` counts all that the model reads, prompts and special tokens included.
 */
export function embeddingModel<V extends SpecificationVersion = 'v4'>(
  model: Model,
  options: EmbeddingModelOptions<V> = {},
): EmbeddingModel<V> {
  const own = identity('embeddingModel', model, options, EMBED_OPTIONS);
  const { modelId, specificationVersion, ...defaults } = options;
  return {
    ...own,
    maxEmbeddingsPerCall: Infinity,
    supportsParallelCalls: true,
    async doEmbed({ values, dimensions, ...call }) {
      let tokens = 0;
      const embeddings = await model.embed(values, {
        ...defaults,
        ...callOptions(call, EMBED_OPTIONS),
        ...(dimensions !== undefined && { dimensions }),
        signal: call.abortSignal,
        onProgress: ({ totalTokens }) => {
          tokens = totalTokens;
        },
      });
      return { embeddings: embeddings.toArrays(), usage: { tokens }, warnings: [] };
    },
  };
}

/** A model that reranks (a cross-encoder), for the SDK's `rerank`. */
export function rerankingModel<V extends SpecificationVersion = 'v4'>(
  model: Model,
  options: RerankingModelOptions<V> = {},
): RerankingModel<V> {
  const own = identity('rerankingModel', model, options, RERANK_OPTIONS);
  const { modelId, specificationVersion, ...defaults } = options;
  return {
    ...own,
    async doRerank({ query, documents, topN: topK, ...call }) {
      const isText = documents.type === 'text';
      const texts = isText ? documents.values : documents.values.map((value) => JSON.stringify(value));
      const ranked = await model.rerank(query, texts, {
        ...defaults,
        ...callOptions(call, RERANK_OPTIONS),
        topK,
        signal: call.abortSignal,
      });
      return {
        ranking: ranked.map(({ index, score }) => ({ index, relevanceScore: score })),
        warnings: isText
          ? []
          : [{ type: 'compatibility', feature: 'object documents', details: 'The model reads them as JSON.' }],
      };
    },
  };
}
