import { textCommand } from '../line-command';
import { shortest } from '../output';

const POOLINGS = ['cls', 'lasttoken', 'max', 'mean', 'mean_sqrt_len_tokens', 'weightedmean'] as const;
const PRECISIONS = ['float32', 'int8', 'binary'] as const;

export const embed = textCommand({
  summary: 'Compute an embedding for each text.',
  details: 'Reads {"text": "…"}, writes {"line": 1, "id": …, "embedding": [0.01, …]}.',
  options: {
    kind: { value: 'NAME', help: "query or document: the model's prompt and route for it" },
    'prompt-name': { value: 'NAME', help: 'prompt of the model before each text, such as query or document' },
    prompt: { value: 'TEXT', help: 'your own prompt before each text' },
    dimensions: { value: 'N', help: 'length of the embeddings, for models trained to be shortened (Matryoshka)' },
    precision: { value: 'NAME', help: `${PRECISIONS.join(', ')}; binary packs 8 dimensions per byte (float32)` },
    pooling: { value: 'NAME', help: `${POOLINGS.join(', ')}\n(as the checkpoint says)` },
    'no-normalize': { help: "do not scale the embeddings to unit length after the model's modules" },
  },
  job(values) {
    const options = {
      kind: values.choice('kind', ['query', 'document'] as const),
      promptName: values.text('prompt-name'),
      prompt: values.text('prompt'),
      dimensions: values.count('dimensions'),
      precision: values.choice('precision', PRECISIONS),
      pooling: values.choice('pooling', POOLINGS),
      ...(values.flag('no-normalize') && { normalize: false }),
    };
    return {
      writes: ['embedding'],
      run: async (model, texts, callOptions) => {
        const { rows, row } = await model.embed(texts, { ...options, ...callOptions });
        return Array.from({ length: rows }, (_, i) => ({ embedding: Array.from(row(i), shortest) }));
      },
    };
  },
});
