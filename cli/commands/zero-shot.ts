import { UsageError } from '../command';
import { textField } from '../input';
import { lineCommand } from '../line-command';

export const zeroShot = lineCommand({
  summary: 'Labels of your own with scores, by a natural language inference model.',
  details: 'Reads {"text": "…"}, writes {"line": 1, "id": …, "labels": [{"label", "score"}]}, best first.',
  options: {
    'text-field': { value: 'NAME', help: 'the field that is the text (text)' },
    labels: { value: 'A,B', help: 'the labels; required' },
    'hypothesis-template': {
      value: 'TEXT',
      help: "the sentence that is tested, {} is the label ('This example is {}.')",
    },
    'multi-label': { help: 'each label by itself instead of one of all' },
  },
  job(values) {
    const field = values.text('text-field') ?? 'text';
    const labels = values.list('labels');
    if (!labels) throw new UsageError('--labels is missing.');
    const options = {
      hypothesisTemplate: values.text('hypothesis-template'),
      multiLabel: values.flag('multi-label') || undefined,
    };
    return {
      read: (row) => textField(row, field),
      run: async (model, texts, callOptions) =>
        (await model.zeroShot(texts, labels, { ...options, ...callOptions })).map((scores) => ({ labels: scores })),
    };
  },
});
