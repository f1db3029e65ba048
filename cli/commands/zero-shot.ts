import { UsageError } from '../command';
import { textCommand } from '../line-command';

export const zeroShot = textCommand({
  summary: 'Score your own labels for each text, with a natural language inference model.',
  details: 'Reads {"text": "…"}, writes {"line": 1, "id": …, "labels": [{"label", "score"}]}, best first.',
  options: {
    labels: { value: 'A,B', help: 'the labels; required' },
    'hypothesis-template': { value: 'TEXT', help: "the hypothesis, {} is the label ('This example is {}.')" },
    'multi-label': { help: 'score each label independently' },
  },
  job(values) {
    const labels = values.list('labels');
    if (!labels) throw new UsageError('--labels is required.');
    const options = {
      hypothesisTemplate: values.text('hypothesis-template'),
      multiLabel: values.flag('multi-label') || undefined,
    };
    return {
      writes: ['labels'],
      run: async (model, texts, callOptions) =>
        (await model.zeroShot(texts, labels, { ...options, ...callOptions })).map((scores) => ({ labels: scores })),
    };
  },
});
