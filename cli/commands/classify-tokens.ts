import { textField } from '../input';
import { lineCommand } from '../line-command';

const AGGREGATIONS = ['none', 'simple', 'first', 'max', 'average'] as const;

export const classifyTokens = lineCommand({
  summary: 'A label for every token, or the entities of a text.',
  details:
    'Reads {"text": "…"}, writes {"line": 1, "id": …, "entities": [{"label", "score", "text", "start", "end"}]}; without aggregation\n"tokens" with "token" and "index" instead. Offsets are in UTF-16 units.',
  options: {
    'text-field': { value: 'NAME', help: 'the field that is the text (text)' },
    aggregation: { value: 'NAME', help: `${AGGREGATIONS.join(', ')} (simple)` },
    'ignore-labels': { value: 'A,B', help: 'classes to leave out (O; without aggregation none)' },
  },
  job(values) {
    const field = values.text('text-field') ?? 'text';
    const aggregation = values.choice('aggregation', AGGREGATIONS) ?? 'simple';
    const name = aggregation === 'none' ? 'tokens' : 'entities';
    const options = { aggregation, ignoreLabels: values.list('ignore-labels') };
    return {
      read: (row) => textField(row, field),
      run: async (model, texts, callOptions) =>
        (await model.classifyTokens(texts, { ...options, ...callOptions })).map((found) => ({ [name]: found })),
    };
  },
});
