import type { Embeddings, EmbedOptions, Pooling, Precision } from '../api/calls';
import { UnsupportedModelError } from '../api/errors';
import { CALL_OPTIONS, type OptionNames } from '../api/options';
import { pooledEmbedding } from '../model/heads/embeddings';
import { POOLINGS } from '../model/modules/pooling';
import { embeddingColumns } from '../model/modules/registry';
import type { Call } from './call';
import { checkList, checkText, encode, type Parts, tokenizerOf } from './common';
import { embeddingsOf, pack } from './embedding-precision';

const OPTIONS: OptionNames<EmbedOptions> = {
  ...CALL_OPTIONS,
  pooling: true,
  normalize: true,
  promptName: true,
  prompt: true,
  dimensions: true,
  precision: true,
  ranges: true,
};

export const embed: Call = { options: OPTIONS, run: embedTexts };

async function embedTexts<P extends Precision = 'float32'>(
  parts: Parts,
  texts: string | string[],
  options: EmbedOptions<P> = {},
): Promise<Embeddings<P>> {
  const { sentence, submit } = parts;
  const { signal, onProgress, normalize = true, precision = 'float32' as P, ranges } = options;
  if (!sentence.pooling) {
    throw new UnsupportedModelError(
      'embed needs a checkpoint with one vector per text; this one is multi-vector: use embedMultiVector.',
    );
  }
  const pooling = poolingsOf(options.pooling ?? sentence.pooling, parts);
  const dim = dimensionsOf(options.dimensions, pooling, parts);
  const pieces = pack(precision, dim, ranges);
  const list = typeof texts === 'string' ? [texts] : texts;
  checkList(list, 'texts');
  for (const [i, text] of list.entries()) checkText(text, `Text ${i}`);
  const prompt = promptOf(options, parts);
  // As sentence-transformers counts: the prompt's tokens with all special ones but the last.
  const skip = prompt && !sentence.include_prompt ? tokenizerOf(parts).encode(prompt).ids.length - 1 : 0;
  const head = pooledEmbedding({ pooling, normalize, dimensions: dim, skip });
  const data = new Float32Array(list.length * dim);
  const prompted = prompt ? list.map((text) => prompt + text) : list;
  const items = await encode(parts, prompted, options, ({ ids }, i) => {
    if (skip >= ids.length)
      throw new RangeError(`Text ${i} has only its prompt's tokens, which this checkpoint does not pool.`);
    return { wanted: [{ head, deliver: (row) => data.set(row, i * dim) }] };
  });
  await submit(items, { signal, onProgress });
  return embeddingsOf(pieces(data), list.length, dim);
}

function poolingsOf(asked: Pooling | Pooling[], { sentence }: Parts): Pooling[] {
  const poolings = Array.isArray(asked) ? asked : [asked];
  const unknown = poolings.find((pooling) => !POOLINGS.includes(pooling));
  if (unknown !== undefined || poolings.length === 0) {
    throw new RangeError(`pooling must be one or more of ${POOLINGS.join(', ')}; it is '${asked}'.`);
  }
  const isLast = sentence.modules.every(({ kind }) => kind === 'Pooling');
  if (!isLast && poolings.length !== sentence.pooling!.length) {
    throw new RangeError(
      `This checkpoint's Dense modules need ${sentence.pooling!.length} poolings, not ${poolings.length}.`,
    );
  }
  return poolings;
}

/** Numbers of an embedding that are kept. */
function dimensionsOf(asked: number | undefined, pooling: Pooling[], { config, sentence }: Parts): number {
  const all = embeddingColumns(sentence.modules, config.hidden_size, pooling);
  const dim = asked ?? Math.min(sentence.truncate_dim ?? all, all);
  if (Number.isInteger(dim) && dim >= 1 && dim <= all) return dim;
  throw new RangeError(`dimensions must be an integer from 1 to the embedding's ${all}, it is ${dim}.`);
}

function promptOf({ prompt, promptName }: EmbedOptions, { info: { prompts, defaultPrompt } }: Parts): string {
  if (prompt !== undefined) return prompt;
  const name = promptName ?? defaultPrompt;
  if (name === undefined) return '';
  if (Object.hasOwn(prompts, name)) return prompts[name];
  const known = Object.keys(prompts);
  throw new RangeError(
    `This checkpoint has no prompt '${name}'; ${known.length > 0 ? `it has ${known.join(', ')}` : 'it has none'}. Pass its text as prompt.`,
  );
}
