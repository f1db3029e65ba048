/** The pipelines' calls: what each asks of the model, and the result in transformers.js' form. */
import type { Entity, TokenLabel } from '../api/calls';
import { checkOptions, type OptionNames } from '../api/options';
import type { Model } from '../api/types';
import { features } from './features';
import type {
  AnswerFound,
  FilledMask,
  FillMaskOptions,
  QuestionAnsweringOptions,
  TextClassificationOptions,
  TextLabel,
  TokenClassificationOptions,
  TokenEntity,
  ZeroShotClassificationOptions,
  ZeroShotLabels,
} from './types';

const TOP_K: OptionNames<FillMaskOptions & TextClassificationOptions & QuestionAnsweringOptions> = {
  top_k: true,
  signal: true,
};
const TOKEN_OPTIONS: OptionNames<TokenClassificationOptions> = {
  ignore_labels: true,
  aggregation_strategy: true,
  signal: true,
};
const ZERO_SHOT_OPTIONS: OptionNames<ZeroShotClassificationOptions> = {
  hypothesis_template: true,
  multi_label: true,
  signal: true,
};

type Texts = string | string[];

const listOf = (texts: Texts): string[] => (Array.isArray(texts) ? texts : [texts]);

/** The results of a list; of one text its own. */
const as = <R>(texts: Texts, results: R[]): R | R[] => (Array.isArray(texts) ? results : results[0]);

async function fillMask(
  model: Model,
  texts: Texts,
  options: FillMaskOptions = {},
): Promise<FilledMask[] | FilledMask[][]> {
  checkOptions('fill-mask', options, TOP_K);
  const { top_k = 5, signal } = options;
  const topK = Math.min(top_k, model.info.vocabSize);
  const found = await model.fillMask(listOf(texts), { topK, sequences: true, truncate: true, signal });
  const filled = found.map(([mask], i) => {
    if (!mask) {
      throw new RangeError(`Text ${i} has no ${model.info.maskToken} in its first ${model.info.maxTokens} tokens.`);
    }
    return mask.candidates.map(
      ({ score, tokenId, token, sequence }): FilledMask => ({
        score,
        token: tokenId,
        token_str: token,
        sequence: sequence!,
      }),
    );
  });
  return as(texts, filled);
}

async function textClassification(
  model: Model,
  texts: Texts,
  options: TextClassificationOptions = {},
): Promise<TextLabel[] | TextLabel[][]> {
  checkOptions('text-classification', options, TOP_K);
  const { top_k = 1, signal } = options;
  const labels = await model.classify(listOf(texts), { topK: top_k ?? undefined, truncate: true, signal });
  return top_k === 1 ? labels.flat() : as(texts, labels);
}

async function tokenClassification(
  model: Model,
  texts: Texts,
  options: TokenClassificationOptions = {},
): Promise<TokenEntity[] | TokenEntity[][]> {
  checkOptions('token-classification', options, TOKEN_OPTIONS);
  const { ignore_labels: ignoreLabels = ['O'], aggregation_strategy: aggregation = 'none', signal } = options;
  const list = listOf(texts);
  const found: (TokenLabel | Entity)[][] = await model.classifyTokens(list, {
    aggregation,
    ignoreLabels,
    truncate: true,
    signal,
  });
  return as(
    texts,
    found.map((own, i) => own.map((part) => entityOf(part, list[i]))),
  );
}

function entityOf(found: TokenLabel | Entity, text: string): TokenEntity {
  const { label, score, start, end } = found;
  if ('text' in found) return { entity_group: label, score, word: found.text, start, end };
  return { entity: label, score, index: found.index, word: wordOf(found, text), start, end };
}

/** A token's letters in the text, with what its spelling says about the word: "##" of one that goes on, a space before one that begins. */
function wordOf({ token, start, end }: TokenLabel, text: string): string {
  const letters = text.slice(start, end);
  if (token.startsWith('##') && !letters.startsWith('##')) return `##${letters}`;
  return token.startsWith('Ġ') && /^\S/.test(letters) ? ` ${letters}` : letters;
}

async function zeroShotClassification(
  model: Model,
  texts: Texts,
  candidate_labels: Texts,
  options: ZeroShotClassificationOptions = {},
): Promise<ZeroShotLabels | ZeroShotLabels[]> {
  checkOptions('zero-shot-classification', options, ZERO_SHOT_OPTIONS);
  const { hypothesis_template: hypothesisTemplate, multi_label: multiLabel, signal } = options;
  const list = listOf(texts);
  const scored = await model.zeroShot(list, listOf(candidate_labels), {
    ...(hypothesisTemplate !== undefined && { hypothesisTemplate }),
    multiLabel,
    truncate: true,
    signal,
  });
  const results = scored.map(
    (found, i): ZeroShotLabels => ({
      sequence: list[i],
      labels: found.map(({ label }) => label),
      scores: found.map(({ score }) => score),
    }),
  );
  return as(texts, results);
}

async function questionAnswering(
  model: Model,
  question: Texts,
  context: Texts,
  options: QuestionAnsweringOptions = {},
): Promise<AnswerFound | AnswerFound[] | AnswerFound[][]> {
  checkOptions('question-answering', options, TOP_K);
  const { top_k = 1, signal } = options;
  // transformers.js regards all spans of tokens, however long.
  const all = { topK: top_k, maxAnswerLength: model.info.maxTokens, alignToWords: false, signal };
  const found: AnswerFound[][] = await model.answer(listOf(question), listOf(context), all);
  return top_k === 1 ? as(question, found.flat()) : as(question, found);
}

/** By the task's name. */
export const TASKS = {
  'feature-extraction': features,
  'fill-mask': fillMask,
  'text-classification': textClassification,
  'token-classification': tokenClassification,
  'zero-shot-classification': zeroShotClassification,
  'question-answering': questionAnswering,
};

export const ALIASES: Record<string, keyof typeof TASKS> = {
  embeddings: 'feature-extraction',
  'sentiment-analysis': 'text-classification',
  ner: 'token-classification',
};
