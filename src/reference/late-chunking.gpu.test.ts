import { expect, it } from 'vitest';
import { withModel } from '../session/fixtures';
import { folderOf } from './calls';

/** Embeddings of chunks are pooled from the hidden states of the whole text (arXiv:2409.04701), and go through the modules after that. */

const SENTENCE = 'The harbour was closed because of the storm, and so were the schools of the town. ';
const TEXT = SENTENCE.repeat(10).trimEnd();

it('late chunking: the mean of the tokens that begin in each chunk, of one pass over the text', () =>
  withModel(folderOf('st-mean'), { dtype: 'f32', arithmetic: 'f32' }, async (model) => {
    const { ids, offsets } = await model.tokenize(TEXT);
    expect(ids.length).toBeGreaterThan(130); // more than the windows see
    const chunks = await model.chunk(TEXT, { maxTokens: 50, overlap: 5 });
    expect(chunks.length).toBeGreaterThan(3);
    const batch = { inputIds: ids, lengths: Uint32Array.of(ids.length) };
    const { data, shape } = (await model.forward(batch)).last_hidden_state!;
    const [, width] = shape;
    const expected = chunks.map(({ start, end }) => {
      const own = [...offsets.keys()].filter((t) => offsets[t][1] > 0 && offsets[t][0] >= start && offsets[t][0] < end);
      const mean = Array.from(
        { length: width },
        (_, c) => own.reduce((sum, t) => sum + data[t * width + c], 0) / own.length,
      );
      const length = Math.hypot(...mean);
      return mean.map((x) => x / length);
    });
    const embeddings = await model.embed(TEXT, { chunks });
    expect(embeddings.rows).toBe(chunks.length);
    for (const [c, row] of expected.entries()) {
      for (const [i, x] of row.entries()) expect(Math.abs(embeddings.row(c)[i] - x)).toBeLessThan(2e-5);
    }
    // The same chunk by itself has not seen the rest.
    const alone = await model.embed(chunks[1].text);
    const dot = alone.row(0).reduce((sum, x, i) => sum + x * embeddings.row(1)[i], 0);
    expect(dot).toBeLessThan(0.999);
  }));
