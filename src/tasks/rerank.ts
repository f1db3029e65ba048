import type { RerankOptions, RerankResult } from '../api/calls';
import { UnsupportedModelError } from '../api/errors';
import { CALL_OPTIONS, type OptionNames } from '../api/options';
import type { Call } from './call';
import { byScore, checkList, checkText, checkTopK, type Parts, sequenceLogits, sigmoid } from './common';
import { PROMPT_OPTIONS, promptOf } from './prompts';

const OPTIONS: OptionNames<RerankOptions> = {
  ...CALL_OPTIONS,
  ...PROMPT_OPTIONS,
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
  const { info, sentence } = parts;
  const { labels, maxTokens: limit } = info;
  const { topK, raw = sentence.activation === 'Identity', returnDocuments = false, maxTokens } = options;
  if (labels.length > 2) {
    throw new UnsupportedModelError(
      `rerank needs a sequence classifier with one or two labels; this one has ${labels.length} (${labels.slice(0, 5).join(', ')}). Use classify.`,
    );
  }
  if (!raw && sentence.activation && !['Sigmoid', 'Identity'].includes(sentence.activation)) {
    throw new UnsupportedModelError(
      `This checkpoint's activation, ${sentence.activation}, is not supported; known are Sigmoid and Identity. Pass raw: true for logits.`,
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
    // Without maxTokens as in the library, which cuts the longer text.
    {
      truncation: maxTokens === undefined ? undefined : 'only_second',
      maxTokens,
      name,
      prompt: promptOf(options, parts),
    },
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
