import type { Kind } from '../api/embeddings';
import { UnsupportedModelError } from '../api/errors';
import type { Feature } from '../model/modules/module';
import type { Chain } from '../model/sentence';
import type { Parts } from './common';
import { checkKind } from './prompts';

/** The call for what a checkpoint makes of a text. */
const INSTEAD: Record<Feature, string> = {
  sentence_embedding: 'has one vector per text: use embed',
  token_embeddings: 'is multi-vector: use embedMultiVector',
  scores: 'is a cross-encoder: use rerank',
  sparse: 'is sparse: use embedSparse',
};

export const wrongOutput = (needs: string, { output }: Parts['sentence']): UnsupportedModelError =>
  new UnsupportedModelError(`${needs}; this one ${INSTEAD[output]}.`);

/** The modules for a kind of text. Throws a RangeError for a kind that there is none of. */
export function chainOf(kind: Kind | undefined, { sentence: { chains, refused } }: Parts): Chain {
  checkKind(kind);
  const chain = chains[kind ?? 'any'];
  if (chain) return chain;
  throw new RangeError(refused[kind ?? 'any'] ?? `This checkpoint has no modules for texts of kind '${kind}'.`);
}
