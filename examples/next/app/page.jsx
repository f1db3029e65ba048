'use client';
import { loadModel } from 'modernbert-webgpu';
import { describeProgress } from 'modernbert-webgpu/progress';
import { createIndex } from 'modernbert-webgpu/search';
import { useEffect, useRef, useState } from 'react';
import answers from './answers.json';

let opening; // once per page, also if React runs the effect twice
async function openIndex(onProgress) {
  const index = await createIndex(await loadModel('sentence-transformers/all-MiniLM-L6-v2', { onProgress }));
  await index.add(answers.map((text, i) => ({ id: `${i}`, text })));
  return index;
}

export default function Page() {
  const [index, setIndex] = useState();
  const [status, setStatus] = useState('Loading the model');
  const [hits, setHits] = useState([]);
  const last = useRef(new AbortController());

  useEffect(() => {
    opening ??= openIndex(describeProgress(({ text }) => setStatus(`Loading: ${text}`)));
    opening.then(
      (opened) => {
        setIndex(opened);
        setStatus('Searched on this device');
      },
      (error) => setStatus(error.message),
    );
  }, []);

  async function search(query) {
    last.current.abort(); // what was typed before is no longer wanted
    last.current = new AbortController();
    try {
      setHits(await index.search(query, { mode: 'vectors', topK: 3, signal: last.current.signal }));
    } catch (error) {
      if (error.name !== 'AbortError') setStatus(error.message);
    }
  }

  return (
    <main>
      <h1>Ask the bicycle shop</h1>
      <label htmlFor="query">Your question</label>
      <input
        id="query"
        type="search"
        disabled={!index}
        placeholder="How far can I go with an electric one?"
        onChange={(event) => search(event.target.value)}
      />
      <p role="status">{status}</p>
      <ol>
        {hits.map(({ id, text }) => (
          <li key={id}>{text}</li>
        ))}
      </ol>
    </main>
  );
}
