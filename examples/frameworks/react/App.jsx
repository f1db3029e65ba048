import { loadModel, similarity } from 'modernbert-webgpu';
import { describeProgress } from 'modernbert-webgpu/progress';
import { useEffect, useState } from 'react';

const alike = (embeddings) => `${Math.round(similarity(embeddings, embeddings)[0][1] * 100)}% alike`;
let loading; // one model for all components, and for effects that run twice
const load = (onProgress) => (loading ??= loadModel('sentence-transformers/all-MiniLM-L6-v2', { onProgress }));

export function App() {
  const [model, setModel] = useState();
  const [status, setStatus] = useState('Loading the model');
  const [texts, setTexts] = useState(['The cat sleeps on the sofa.', 'A kitten naps on the couch.']);

  useEffect(() => {
    const onProgress = describeProgress(({ text }) => setStatus(`Loading: ${text}`));
    load(onProgress).then(setModel, (error) => setStatus(error.message));
  }, []);

  useEffect(() => {
    if (!model) return;
    const controller = new AbortController();
    model.embed(texts, { signal: controller.signal }).then(
      (embeddings) => setStatus(alike(embeddings)),
      (error) => error.name === 'AbortError' || setStatus(error.message),
    );
    return () => controller.abort(); // another text was typed
  }, [model, texts]);

  return (
    <>
      <h1>How alike are two sentences?</h1>
      <input aria-label="First" value={texts[0]} onChange={(event) => setTexts([event.target.value, texts[1]])} />
      <input aria-label="Second" value={texts[1]} onChange={(event) => setTexts([texts[0], event.target.value])} />
      <p role="status">{status}</p>
    </>
  );
}
