import type { ClassifyOptions, LabelScore, TextPair } from '../api/calls';
import { CALL_OPTIONS, type OptionNames } from '../api/options';
import { type Call, oneOrMany } from './call';
import { byScore, checkTopK, type Parts, sequenceLogits, sigmoid, softmax } from './common';

const OPTIONS: OptionNames<ClassifyOptions> = { ...CALL_OPTIONS, topK: true, raw: true, multiLabel: true };

export const classify: Call = { task: 'seqcls', options: OPTIONS, run: oneOrMany(classifyTexts) };

/** The defaults are those of transformers' text-classification pipeline. */
async function classifyTexts(
  parts: Parts,
  texts: (string | TextPair)[],
  options: ClassifyOptions = {},
): Promise<LabelScore[][]> {
  const { config, info } = parts;
  const {
    topK,
    raw = info.config.problem_type === 'regression',
    multiLabel = config.multi_label || info.labels.length === 1,
  } = options;
  checkTopK(topK);
  const scored = (logits: Float32Array) => (raw ? logits : multiLabel ? Array.from(logits, sigmoid) : softmax(logits));
  return (await sequenceLogits(parts, texts, options)).map((logits) => {
    const scores = scored(logits);
    return info.labels
      .map((label, l) => ({ label, score: scores[l] }))
      .sort(byScore)
      .slice(0, topK);
  });
}
