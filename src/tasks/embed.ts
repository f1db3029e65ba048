import type { Tokens } from '../api/calls';
import type { Embeddings, EmbedOptions, Pooling, Precision, PrecisionData, TokenIds } from '../api/embeddings';
import { CALL_OPTIONS, type OptionNames } from '../api/options';
import { normalizesAfter, sequenceEmbedding, shorter } from '../model/heads/embeddings';
import { POOLINGS } from '../model/modules/pooling';
import type { Chain } from '../model/sentence';
import type { Span } from '../runtime/pass-items';
import type { Call } from './call';
import { chainOf, wrongOutput } from './chain-of';
import { checkList, checkText, encode, type Parts, tokenizerOf } from './common';
import { embeddingsOf } from './embeddings-of';
import { PROMPT_OPTIONS, prompted, promptOf } from './prompts';

const OPTIONS: OptionNames<EmbedOptions> = {
  ...CALL_OPTIONS,
  ...PROMPT_OPTIONS,
  kind: true,
  chunks: true,
  pooling: true,
  normalize: true,
  dimensions: true,
  precision: true,
  ranges: true,
};

export const embed: Call = { options: OPTIONS, run: embedTexts };

async function embedTexts<P extends Precision = 'float32'>(
  parts: Parts,
  texts: string | TokenIds | (string | TokenIds)[],
  options: EmbedOptions<P> = {},
): Promise<Embeddings<P>> {
  const { sentence, submit } = parts;
  const { signal, onProgress, precision = 'float32' as P, ranges } = options;
  const chain = withoutNormalize(chainOf(options.kind, parts), options.normalize);
  if (!chain.pooling) throw wrongOutput('embed needs a checkpoint with one vector per text', sentence);
  const poolings = poolingsOf(options.pooling ?? chain.pooling.poolings, chain);
  const dim = dimensionsOf(options.dimensions, poolings, chain, parts);
  const byAngle = sentence.similarity === 'cosine'; // other metrics need the lengths that the checkpoint gives
  const { normalize = byAngle && (normalizesAfter(chain) || options.dimensions !== undefined) } = options;
  const list = Array.isArray(texts) ? texts : [texts];
  checkList(list, 'texts');
  const hasIds = list.some((text) => typeof text === 'object');
  const isPlain = precision === 'float32' && !ranges && !options.chunks && !hasIds;
  const more = isPlain ? undefined : (await import('./more-calls')).moreCalls;
  const packed = more?.pack(precision, dim, ranges);
  const prompt = promptOf(options, parts);
  const given = hasIds ? more!.tokensOfIds(parts, list, options, prompt) : undefined;
  for (const [i, text] of list.entries()) if (!given?.[i]) checkText(text, `Text ${i}`);
  const { strips } = sentence;
  // As sentence-transformers counts: the prompt's tokens with all special ones but the last.
  const length = () => tokenizerOf(parts).encode(prompted('', prompt, strips).text).ids.length;
  const skip = prompt && !chain.pooling.include_prompt ? length() - 1 : 0;
  const head = sequenceEmbedding(chain, { pooling: poolings, normalize, dimensions: dim });
  const chunks = options.chunks && more!.chunkLists(options.chunks, texts as string | string[]);
  const places = [0]; // of each text's rows
  for (const i of list.keys()) places.push(places[i] + (chunks?.[i].length ?? 1));
  const data = new Float32Array(places[list.length] * dim);
  const itemOf = ({ ids, offsets }: Tokens, i: number) => {
    if (skip > 0 && skip >= ids.length)
      throw new RangeError(`Text ${i} has only its prompt's tokens, which this checkpoint does not pool.`);
    const spans = chunks
      ? more!.spansOf(chunks[i], offsets, i, (list[i] as string).length)
      : [[0, skip, ids.length] as Span];
    return { wanted: [{ head, spans, deliver: (rows: Float32Array) => data.set(rows, places[i] * dim) }] };
  };
  const items = await encode(parts, list as string[], options, itemOf, { prompt, strips, given });
  await submit(items, { signal, onProgress });
  return embeddingsOf<P>({
    data: (packed?.(data) ?? data) as PrecisionData[P],
    rows: places[list.length],
    dim,
    embeddingSpace: parts.spaces.of({ chain, pooling: options.pooling, dim, normalize, precision, ranges }),
  });
}

/** The chain without a Normalize at its end, if the caller wants none. */
const withoutNormalize = (chain: Chain, normalize: boolean | undefined): Chain =>
  normalize === false && !normalizesAfter(chain) ? shorter(chain) : chain;

function poolingsOf(asked: Pooling | Pooling[], { modules, pooling }: Chain): Pooling[] {
  const poolings = Array.isArray(asked) ? asked : [asked];
  const unknown = poolings.find((name) => !POOLINGS.includes(name));
  if (unknown !== undefined || poolings.length === 0) {
    throw new RangeError(`pooling must be one or more of ${POOLINGS.join(', ')}; it is '${asked}'.`);
  }
  const own = pooling!.poolings.length;
  const needsWidth = modules.some(({ kind }) => kind !== 'Pooling' && kind !== 'Normalize');
  if (needsWidth && poolings.length !== own) {
    throw new RangeError(`This checkpoint's modules after the Pooling need ${own} poolings, not ${poolings.length}.`);
  }
  return poolings;
}

/** Numbers of an embedding that are kept. */
function dimensionsOf(asked: number | undefined, poolings: Pooling[], chain: Chain, { sentence }: Parts): number {
  const { pooling, modules, columns } = chain;
  const isWide = modules.some(({ kind }) => kind === 'Dense');
  const all = isWide ? columns : (columns / pooling!.poolings.length) * poolings.length;
  const dim = asked ?? Math.min(sentence.truncate_dim ?? all, all);
  if (Number.isInteger(dim) && dim >= 1 && dim <= all) return dim;
  throw new RangeError(`dimensions must be an integer from 1 to the embedding's ${all}, it is ${dim}.`);
}
