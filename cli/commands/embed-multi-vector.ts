import { textField } from '../input';
import { lineCommand } from '../line-command';
import { shortest } from '../output';

const KINDS = ['document', 'query'] as const;

export const embedMultiVector = lineCommand({
  summary: 'An embedding for every token of every text, by a multi-vector (ColBERT) model.',
  details: 'Reads {"text": "…"}, writes {"line": 1, "id": …, "tokens": [50281, …], "embeddings": [[0.01, …], …]}.',
  options: {
    'text-field': { value: 'NAME', help: 'the field that is the text (text)' },
    kind: { value: 'NAME', help: `how texts are read: ${KINDS.join(', ')} (document)` },
    'max-tokens': { value: 'N', help: "most tokens of a text, special ones and the prefix included (the model's own)" },
  },
  job(values) {
    const field = values.text('text-field') ?? 'text';
    const options = { kind: values.choice('kind', KINDS) ?? 'document', maxTokens: values.count('max-tokens') };
    return {
      read: (row) => textField(row, field),
      async run(model, texts, callOptions) {
        const vectors = await model.embedMultiVector(texts, { ...options, ...callOptions });
        return vectors.map(({ ids, rows, row }) => ({
          tokens: Array.from(ids),
          embeddings: Array.from({ length: rows }, (_, i) => Array.from(row(i), shortest)),
        }));
      },
    };
  },
});
