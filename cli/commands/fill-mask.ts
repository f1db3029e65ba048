import { textCommand } from '../line-command';

export const fillMask = textCommand({
  summary: 'Predict the tokens behind the masks of each text.',
  details:
    'Reads {"text": "The capital of France is [MASK]."}, writes {"line": 1, "id": …, "masks": [{"index", "start", "end",\n"candidates": [{"token", "tokenId", "score"}]}]}.',
  options: {
    'top-k': { value: 'N', help: 'candidates per mask (5)' },
    targets: { value: 'A,B', help: 'score only these words' },
    sequences: { help: 'add to each candidate the text with its mask filled' },
  },
  job(values) {
    const options = {
      topK: values.count('top-k'),
      targets: values.list('targets'),
      sequences: values.flag('sequences'),
    };
    return {
      writes: ['masks'],
      sample: ({ info }) => `a ${info.maskToken}`,
      run: async (model, texts, callOptions) =>
        (await model.fillMask(texts, { ...options, ...callOptions })).map((masks) => ({ masks })),
    };
  },
});
