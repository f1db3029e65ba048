import type { RerankOptions, RerankResult } from '../api/calls';
import { UnsupportedModelError } from '../api/errors';
import { CALL_OPTIONS, type OptionNames } from '../api/options';
import type { Call } from './call';
import { byScore, checkList, checkText, checkTopK, type Parts, sequenceLogits, sigmoid } from './common';

const OPTIONS: OptionNames<RerankOptions> = {
  ...CALL_OPTIONS,
  topK: true,
  raw: true,
  returnDocuments: true,
  maxTokens: true,
};

export const rerank: Call = { task: 'seqcls', inputs: 2, options: OPTIONS, run: rerankDocuments };

/**
 * Query and document are one sequence, as in sentence-transformers' CrossEncoder. With two labels the score is the second label's softmax
 * probability: the sigmoid of the difference of the logits.
 */
async function rerankDocuments(
  parts: Parts,
  query: string,
  documents: string[],
  options: RerankOptions = {},
): Promise<RerankResult[]> {
  const { info } = parts;
  const { labels, maxTokens: limit } = info;
  const { topK, raw = namesIdentity(info.config), returnDocuments = false, maxTokens } = options;
  if (labels.length > 2) {
    throw new UnsupportedModelError(
      `rerank needs a sequence classifier with one or two labels; this one has ${labels.length} (${labels.slice(0, 5).join(', ')}). Use classify.`,
    );
  }
  checkTopK(topK);
  if (maxTokens !== undefined && !(Number.isInteger(maxTokens) && maxTokens >= 1 && maxTokens <= limit)) {
    throw new RangeError(`maxTokens must be an integer from 1 to the model's ${limit}, it is ${maxTokens}.`);
  }
  checkText(query, 'The query');
  checkList(documents, 'documents');
  const name = (i: number) => `Document ${i}`;
  for (const [i, document] of documents.entries()) checkText(document, name(i));
  const scored = await sequenceLogits(
    parts,
    documents.map((pair) => ({ text: query, pair })),
    { ...options, truncate: options.truncate || maxTokens !== undefined },
    { truncation: 'only_second', maxTokens, name },
  );
  return scored
    .map((logits, index): RerankResult => {
      const logit = labels.length === 1 ? logits[0] : logits[1] - logits[0];
      const score = raw ? logit : sigmoid(logit);
      return returnDocuments ? { index, score, document: documents[index] } : { index, score };
    })
    .sort(byScore)
    .slice(0, topK);
}

/** Whether the activation that sentence-transformers wrote into config.json is Identity: scores are the logits. */
function namesIdentity(config: Record<string, unknown>): boolean {
  const { activation_fn } = (config.sentence_transformers ?? {}) as { activation_fn?: unknown };
  return /\bIdentity$/.test(String(activation_fn ?? config.sbert_ce_default_activation_function ?? ''));
}
