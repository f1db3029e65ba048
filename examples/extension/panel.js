import { loadModel } from './node_modules/modernbert-webgpu/dist/index.js';
import { describeProgress } from './node_modules/modernbert-webgpu/dist/progress.js';
import { createIndex } from './node_modules/modernbert-webgpu/dist/search.js';
import { mark, read, show } from './page.js';

const [title, query, status, progress, hits] = document.querySelectorAll('#title, #query, #status, #progress, #hits');
const css = '::highlight(found-by-meaning) { background: #ffe066; color: #000; }';
let target; // the tab that is searched
let index; // of its paragraphs
let last = new AbortController();

async function inPage(func, ...args) {
  const [{ result }] = await chrome.scripting.executeScript({ target, func, args });
  return result;
}

function say(text, done, total) {
  status.textContent = text;
  progress.hidden = done === undefined;
  progress.value = done / total || 0;
}
const report = ({ name, message }) => name === 'AbortError' || say(message);

const loading = loadModel('sentence-transformers/all-MiniLM-L6-v2', {
  onProgress: describeProgress(({ text, loaded, total }) => say(`Loading: ${text}`, loaded, total)),
});

async function readTab(tab) {
  query.disabled = true;
  hits.replaceChildren();
  target = { tabId: tab.id };
  const texts = await inPage(read);
  await chrome.scripting.insertCSS({ target, css });
  title.textContent = tab.title;
  index = await createIndex(await loading, { chunk: { maxTokens: 64 }, words: false });
  const documents = texts.map((text, i) => ({ id: `${i}`, text }));
  await index.add(documents, {
    onProgress: ({ done, total }) => say(`${done} of ${total} paragraphs read`, done, total),
  });
  say(`${index.size} paragraphs. Click the extension's button to search another page.`);
  query.disabled = false;
  query.focus();
}

async function search() {
  last.abort(); // what was typed before is no longer wanted
  last = new AbortController();
  const found = await index.search(query.value, { topK: 3, signal: last.signal });
  hits.replaceChildren(...found.map(item));
  await inPage(
    mark,
    found.map(({ id, passage }) => ({ block: Number(id), ...passage })),
  );
  await inPage(show, 0);
}

function item({ text, passage }, i) {
  const button = document.createElement('button');
  button.textContent = text.slice(passage.start, passage.end);
  button.onclick = () => inPage(show, i).catch(report);
  const li = document.createElement('li');
  li.append(button);
  return li;
}

query.oninput = () => search().catch(report);
chrome.action.onClicked.addListener((tab) => readTab(tab).catch(report));
const [active] = await chrome.tabs.query({ active: true, currentWindow: true });
readTab(active).catch(report);
