import type { LabelScore, ZeroShotOptions } from '../api/calls';
import { UnsupportedModelError } from '../api/errors';
import { CALL_OPTIONS, type OptionNames } from '../api/options';
import { type Call, oneOrMany } from './call';
import { byScore, checkFilled, checkText, type Parts, sequenceLogits, softmax } from './common';

const OPTIONS: OptionNames<ZeroShotOptions> = { ...CALL_OPTIONS, hypothesisTemplate: true, multiLabel: true };

export const zeroShot: Call = { task: 'seqcls', inputs: 2, options: OPTIONS, run: oneOrMany(classifyTexts) };

/** As transformers' zero-shot-classification pipeline does it: each text with each label is one pair. */
async function classifyTexts(
  parts: Parts,
  texts: string[],
  labels: string[],
  options: ZeroShotOptions = {},
): Promise<LabelScore[][]> {
  const { entailment, contradiction } = inferenceLabels(parts);
  const { hypothesisTemplate = 'This example is {}.', multiLabel = false } = options;
  checkFilled(labels, 'labels');
  for (const [l, label] of labels.entries()) checkText(label, `Label ${l}`);
  const name = (i: number) => `Text ${Math.floor(i / labels.length)}`;
  for (const [t, text] of texts.entries()) checkText(text, `Text ${t}`);
  if (!hypothesisTemplate.includes('{}')) {
    throw new RangeError(`hypothesisTemplate '${hypothesisTemplate}' has no {} for the label.`);
  }
  const hypotheses = labels.map((label) => hypothesisTemplate.replaceAll('{}', () => label));
  const pairs = texts.flatMap((text) => hypotheses.map((pair) => ({ text, pair })));
  const logits = await sequenceLogits(parts, pairs, options, { truncation: 'only_first', name });
  return texts.map((_, t) => {
    const own = logits.slice(t * labels.length, (t + 1) * labels.length);
    const scores =
      multiLabel || labels.length === 1
        ? own.map((pair) => softmax([pair[contradiction], pair[entailment]])[1])
        : softmax(own.map((pair) => pair[entailment]));
    return labels.map((label, l) => ({ label, score: scores[l] })).sort(byScore);
  });
}

/**
 * The logits for yes and no. Entailment is found by its name. So is contradiction, or else it is, as in transformers, the first label, or the
 * last if the first is entailment.
 */
function inferenceLabels({ info }: Parts): { entailment: number; contradiction: number } {
  const { labels } = info;
  const label2id = Object.entries((info.config.label2id ?? {}) as Record<string, number>);
  const find = (name: RegExp): number => {
    const own = labels.findIndex((label) => name.test(label));
    return own >= 0 ? own : (label2id.find(([label, id]) => name.test(label) && id in labels)?.[1] ?? -1);
  };
  const entailment = find(/^entail/i);
  if (entailment < 0 || labels.length < 2) {
    throw new UnsupportedModelError(
      `zeroShot needs a natural language inference model with a label for entailment; this one's labels are ${labels.slice(0, 5).join(', ')}${labels.length > 5 ? ', …' : ''}.`,
    );
  }
  const named = find(/^(contradict|not[ _-]?entail)/i);
  return { entailment, contradiction: named >= 0 ? named : entailment === 0 ? labels.length - 1 : 0 };
}
