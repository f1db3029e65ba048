import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { loadModel } from '../../src/node';
import { similarity } from '../../src/similarity';
import { EMBEDDERS } from '../models/built-in';
import { embeddingOf, QUESTIONS } from './questions';

it('the embeddings of the proposed questions are those of the model that made the sample', async () => {
  const [{ source, dtype }] = EMBEDDERS;
  const model = await loadModel(`public/${source}`, { dtype });
  const embeddings = await model.embed(QUESTIONS, { kind: 'query', precision: 'int8' });
  for (const [i, question] of QUESTIONS.entries()) {
    const shipped = embeddingOf(question)!;
    expect(shipped.embeddingSpace).toBe(embeddings.embeddingSpace);
    expect(similarity(embeddings, shipped as typeof embeddings)[i][0]).toBeGreaterThan(0.999);
  }
  const file = readFileSync('public/samples/moby-dick.safetensors');
  expect(file.toString('latin1', 0, 1000)).toContain(`\\"embeddingSpace\\":\\"${embeddings.embeddingSpace}\\"`);
  expect(embeddingOf('another question')).toBeUndefined();
  await model.dispose();
});
