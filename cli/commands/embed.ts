import { textField } from '../input';
import { lineCommand } from '../line-command';
import { shortest } from '../output';

const POOLINGS = ['cls', 'lasttoken', 'max', 'mean', 'mean_sqrt_len_tokens', 'weightedmean'] as const;
const PRECISIONS = ['float32', 'int8', 'binary'] as const;

export const embed = lineCommand({
  summary: 'An embedding for every text, as numbers.',
  details: 'Reads {"text": "…"}, writes {"line": 1, "id": …, "embedding": [0.01, …]}.',
  options: {
    'text-field': { value: 'NAME', help: 'the field that is the text (text)' },
    'prompt-name': { value: 'NAME', help: "one of the model's prompts, such as query or document, before every text" },
    prompt: { value: 'TEXT', help: 'words of your own before every text' },
    dimensions: { value: 'N', help: 'numbers to keep of each embedding, for models trained for that' },
    precision: { value: 'NAME', help: `${PRECISIONS.join(', ')}; binary is 8 numbers a byte (float32)` },
    pooling: { value: 'NAME', help: `${POOLINGS.join(', ')}\n(the model's own)` },
    'no-normalize': { help: 'leave the embeddings at the length they have' },
  },
  job(values) {
    const field = values.text('text-field') ?? 'text';
    const options = {
      promptName: values.text('prompt-name'),
      prompt: values.text('prompt'),
      dimensions: values.count('dimensions'),
      precision: values.choice('precision', PRECISIONS),
      pooling: values.choice('pooling', POOLINGS),
      normalize: !values.flag('no-normalize'),
    };
    return {
      read: (row) => textField(row, field),
      async run(model, texts, callOptions) {
        const { rows, row } = await model.embed(texts, { ...options, ...callOptions });
        return Array.from({ length: rows }, (_, i) => ({ embedding: Array.from(row(i), shortest) }));
      },
    };
  },
});
