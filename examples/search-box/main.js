import { loadModel } from 'modernbert-webgpu';
import { describeProgress } from 'modernbert-webgpu/progress';
import { createIndex, indexedDbStore } from 'modernbert-webgpu/search';
import facts from './facts.json';

const [query, status, progress, hits] = document.querySelectorAll('#query, #status, #progress, #hits');
const item = ({ text }) => Object.assign(document.createElement('li'), { textContent: text });
const list = (found) => hits.replaceChildren(...found.map(item));
const report = ({ name, message }) => name === 'AbortError' || show(message);
function show(text, done, total) {
  status.textContent = text;
  Object.assign(progress, { hidden: done === undefined, value: done / total || 0 });
}
async function start() {
  const onProgress = describeProgress(({ text, loaded, total }) => show(`Loading: ${text}`, loaded, total));
  const model = await loadModel('sentence-transformers/all-MiniLM-L6-v2', { onProgress });
  const index = await createIndex(model, { store: indexedDbStore('facts') }); // kept for the next visit
  const documents = facts.map((text, i) => ({ id: `${i}`, text }));
  await index.add(documents, { onProgress: ({ done, total }) => show(`${done} of ${total} facts read`, done, total) });
  show('Nothing leaves this device.');
  query.disabled = false;
  let last = new AbortController();
  query.oninput = () => {
    last.abort(); // what was typed before is no longer wanted
    last = new AbortController();
    index.search(query.value, { mode: 'vectors', topK: 5, signal: last.signal }).then(list, report);
  };
}
start().catch(report);
