import { textField } from '../input';
import { lineCommand } from '../line-command';

const POOLINGS = ['mean', 'cls'] as const;

export const embed = lineCommand({
  summary: 'An embedding for every text, as numbers.',
  details: 'Reads {"text": "…"}, writes {"line": 1, "id": …, "embedding": [0.01, …]}.',
  options: {
    'text-field': { value: 'NAME', help: 'the field that is the text (text)' },
    pooling: { value: 'NAME', help: `${POOLINGS.join(' or ')} (1_Pooling/config.json, else mean)` },
    'no-normalize': { help: 'leave the embeddings at the length they have' },
  },
  job(values) {
    const field = values.text('text-field') ?? 'text';
    const options = { pooling: values.choice('pooling', POOLINGS), normalize: !values.flag('no-normalize') };
    return {
      read: (row) => textField(row, field),
      async run(model, texts, callOptions) {
        const { rows, row } = await model.embed(texts, { ...options, ...callOptions });
        return Array.from({ length: rows }, (_, i) => ({ embedding: Array.from(row(i), shortest) }));
      },
    };
  },
});

/** 9 digits name every f32; printed as a double it would have 17. */
const shortest = (x: number): number => Number(x.toPrecision(9));
