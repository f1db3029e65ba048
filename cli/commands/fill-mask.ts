import { textField } from '../input';
import { lineCommand } from '../line-command';

export const fillMask = lineCommand({
  summary: 'The best words for every mask of a text.',
  details:
    'Reads {"text": "The capital of France is [MASK]."}, writes {"line": 1, "id": …, "masks": [{"index", "start", "end",\n"candidates": [{"token", "tokenId", "score"}]}]}.',
  options: {
    'text-field': { value: 'NAME', help: 'the field that is the text (text)' },
    'top-k': { value: 'N', help: 'candidates a mask (5)' },
    targets: { value: 'A,B', help: 'score these words only' },
    sequences: { help: 'give every candidate the text with its mask filled' },
  },
  job(values) {
    const field = values.text('text-field') ?? 'text';
    const options = {
      topK: values.count('top-k'),
      targets: values.list('targets'),
      sequences: values.flag('sequences'),
    };
    return {
      read: (row) => textField(row, field),
      run: async (model, texts, callOptions) =>
        (await model.fillMask(texts, { ...options, ...callOptions })).map((masks) => ({ masks })),
    };
  },
});
