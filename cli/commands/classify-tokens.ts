import { textCommand } from '../line-command';

const AGGREGATIONS = ['none', 'simple', 'first', 'max', 'average'] as const;
const DECODERS = ['argmax', 'viterbi'] as const;

export const classifyTokens = textCommand({
  summary: 'Label each token of a text, or extract its entities.',
  details:
    'Reads {"text": "…"}, writes {"line": 1, "id": …, "entities": [{"label", "score", "text", "start", "end"}]}; with\n--aggregation none, "tokens" with "token" and "index" instead. Offsets are in UTF-16 code units.',
  options: {
    aggregation: { value: 'NAME', help: `${AGGREGATIONS.join(', ')} (simple)` },
    decode: { value: 'NAME', help: `${DECODERS.join(', ')} (argmax); viterbi keeps to the labels' scheme` },
    'ignore-labels': { value: 'A,B', help: 'labels to leave out (O; with --aggregation none, no label)' },
  },
  job(values) {
    const aggregation = values.choice('aggregation', AGGREGATIONS) ?? 'simple';
    const name = aggregation === 'none' ? 'tokens' : 'entities';
    const options = {
      aggregation,
      decode: values.choice('decode', DECODERS),
      ignoreLabels: values.list('ignore-labels'),
    };
    return {
      writes: [name],
      run: async (model, texts, callOptions) =>
        (await model.classifyTokens(texts, { ...options, ...callOptions })).map((found) => ({ [name]: found })),
    };
  },
});
