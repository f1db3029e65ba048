import { textField } from '../input';
import { lineCommand, TEXT_FIELD } from '../line-command';

export const classify = lineCommand({
  summary: "Score the model's labels for each text or pair of texts.",
  details: 'Reads {"text": "…"}, writes {"line": 1, "id": …, "labels": [{"label", "score"}]}, best first.',
  options: {
    'text-field': TEXT_FIELD,
    'pair-field': { value: 'NAME', help: 'field that holds the second text, for models of text pairs' },
    'top-k': { value: 'N', help: 'number of labels to write (all)' },
    raw: { help: 'logits instead of probabilities' },
    'multi-label': { help: 'score each label independently (sigmoid), whatever config.json says' },
  },
  job(values) {
    const field = values.text('text-field') ?? 'text';
    const pairField = values.text('pair-field');
    // undefined: as the checkpoint says.
    const options = {
      topK: values.count('top-k'),
      raw: values.flag('raw') || undefined,
      multiLabel: values.flag('multi-label') || undefined,
    };
    return {
      writes: ['labels'],
      sample: () => (pairField === undefined ? 'a' : { text: 'a', pair: 'a' }),
      read(row) {
        const text = textField(row, field);
        return pairField === undefined ? text : { text, pair: textField(row, pairField) };
      },
      run: async (model, texts, callOptions) =>
        (await model.classify(texts, { ...options, ...callOptions })).map((labels) => ({ labels })),
    };
  },
});
