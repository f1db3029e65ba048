import { loadModel } from 'modernbert-webgpu/node';

let model; // loaded once per process

/** Takes a JSON list of texts and answers with their embeddings, a list of numbers each. */
export async function POST(request) {
  const texts = await request.json().catch(() => undefined);
  if (!Array.isArray(texts) || texts.some((text) => typeof text !== 'string')) {
    return Response.json({ error: 'The body must be a JSON list of texts.' }, { status: 400 });
  }
  model ??= loadModel(process.env.MODEL ?? 'sentence-transformers/all-MiniLM-L6-v2');
  const embeddings = await (await model).embed(texts, { truncate: true });
  return Response.json(embeddings.toArrays());
}
