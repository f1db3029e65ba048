import { textCommand } from '../line-command';
import { shortest } from '../output';

const KINDS = ['document', 'query'] as const;

export const embedMultiVector = textCommand({
  summary: 'Compute an embedding for each token, with a multi-vector (ColBERT) model.',
  details: 'Reads {"text": "…"}, writes {"line": 1, "id": …, "tokens": [50281, …], "embeddings": [[0.01, …], …]}.',
  options: {
    kind: { value: 'NAME', help: `what the texts are: ${KINDS.join(' or ')} (document)` },
    'max-tokens': { value: 'N', help: "most tokens per text, with special tokens and prefix (the model's limit)" },
  },
  job(values) {
    const options = { kind: values.choice('kind', KINDS) ?? 'document', maxTokens: values.count('max-tokens') };
    return {
      writes: ['tokens', 'embeddings'],
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
