import { textField } from '../input';
import { lineCommand } from '../line-command';

export const classify = lineCommand({
  summary: 'Labels with scores for every text, or pair of texts.',
  details: 'Reads {"text": "…"}, writes {"line": 1, "id": …, "labels": [{"label", "score"}]}, best first.',
  options: {
    'text-field': { value: 'NAME', help: 'the field that is the text (text)' },
    'pair-field': { value: 'NAME', help: 'the field that is the second text, for models of pairs' },
    'top-k': { value: 'N', help: 'labels to write (all)' },
    raw: { help: 'logits instead of probabilities' },
    'multi-label': { help: 'each label by itself (sigmoid), whatever config.json says' },
  },
  job(values) {
    const field = values.text('text-field') ?? 'text';
    const pairField = values.text('pair-field');
    // What is not given is the model's own choice.
    const options = {
      topK: values.count('top-k'),
      raw: values.flag('raw') || undefined,
      multiLabel: values.flag('multi-label') || undefined,
    };
    return {
      read(row) {
        const text = textField(row, field);
        return pairField === undefined ? text : { text, pair: textField(row, pairField) };
      },
      run: async (model, texts, callOptions) =>
        (await model.classify(texts, { ...options, ...callOptions })).map((labels) => ({ labels })),
    };
  },
});
