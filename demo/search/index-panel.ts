import type { PGliteWorker } from '@electric-sql/pglite/worker';
import {
  type Document,
  type DocumentEntry,
  type IndexSize,
  indexSize,
  listDocuments,
  removeDocument,
} from '../../cli/passages/documents';
import { dumpIndex, loadDump } from '../../cli/passages/dump';
import { embedWaiting, indexModelOf, storeDocument } from '../../cli/passages/fill';
import { clearIndex, type IndexModel, indexModel, openIndex } from '../../cli/passages/schema';
import { namedProblems, readableFiles, readDocument } from '../documents';
import { element, find, isAbort, messageOf, showError } from '../dom';
import { createDropZone } from '../drop-zone';
import '../drop-zone.css';
import type { ModelPicker } from '../model-picker';
import { count, plural } from '../numbers';
import { saveFile } from '../save-file';

export interface IndexPanel {
  /** Resolves when the database is open. */
  ready: Promise<void>;
  size(): IndexSize;
  /** Whether it is being filled. */
  isBusy(): boolean;
  /** What made its vectors. */
  model(): IndexModel | undefined;
}

type Reader = (signal: AbortSignal) => Promise<Document>;

/** The share of the bar that reading the documents takes; embedding takes the rest. */
const READING = 0.1;

/** What tabs of this page do to the index one after the other. */
const LOCK = 'modernbert-search-index';

const EMPTY: IndexSize = { documents: 0, chunks: 0, waiting: 0 };

/** What is in the index, and what adds to it, empties it and takes it elsewhere. `onChange` hears when there is more or less to find. */
export function createIndexPanel(
  panel: HTMLElement,
  database: Promise<PGliteWorker>,
  picker: ModelPicker,
  onChange: () => void,
): IndexPanel {
  const bar = find<HTMLProgressElement>(panel, '#indexing progress');
  const text = find(panel, '#indexing-text');
  const errorPlace = find(panel, '#index-error');
  const again = find(panel, '#continue-indexing');
  const cancel = find(panel, '#cancel-indexing');
  const importFile = find<HTMLInputElement>(panel, '#import-file');
  let size = EMPTY;
  let model: IndexModel | undefined;
  let job: AbortController | undefined;
  let isRunning = false;
  const waiting: ((signal: AbortSignal) => Promise<void>)[] = [];

  async function refresh() {
    const db = await database;
    // In one transaction: between its statements nothing empties the index.
    const found = await db.transaction(async (sql) => {
      const model = await indexModel(sql);
      return model && { model, size: await indexSize(sql), entries: await listDocuments(sql) };
    });
    model = found?.model;
    size = found?.size ?? EMPTY;
    find(panel, '#index-facts').textContent = factsOf(size, model);
    again.hidden = size.waiting === 0 || job !== undefined;
    find(panel, '#index-actions').hidden = size.documents === 0 || job !== undefined;
    find(panel, '#add').hidden = job !== undefined;
    const documents = find(panel, '#documents');
    documents.hidden = size.documents === 0;
    const items = found?.entries.map((entry) => documentItem(entry, () => void remove(entry.id))) ?? [];
    find(documents, 'ul').replaceChildren(...items);
    onChange();
  }

  /** One thing after the other. */
  async function run(work: (signal: AbortSignal) => Promise<void>) {
    waiting.push(work);
    if (isRunning) return;
    isRunning = true;
    showError(errorPlace, undefined);
    for (let next = waiting.shift(); next; next = waiting.shift()) await runNow(next);
    isRunning = false;
  }

  /** Shows the progress of something, lets the user cancel it, and says what went wrong. */
  async function runNow(work: (signal: AbortSignal) => Promise<void>) {
    job = new AbortController();
    const { signal } = job;
    bar.removeAttribute('value');
    text.textContent = 'Starting …';
    find(panel, '#indexing').hidden = false;
    // What is hidden must not keep the focus.
    if (document.activeElement?.closest('#add, #index-actions, #documents')) cancel.focus();
    find(panel, '#add').hidden = true;
    find(panel, '#index-actions').hidden = true;
    try {
      await navigator.locks.request(LOCK, { ifAvailable: true }, async (lock) => {
        if (!lock) throw new Error('Another tab of this page is changing the index. Try again when it is done.');
        await work(signal);
      });
    } catch (error) {
      if (!isAbort(error)) showError(errorPlace, [errorPlace.textContent, messageOf(error)].filter(Boolean).join('\n'));
    } finally {
      job = undefined;
      if (document.activeElement === cancel) find(panel, '#query').focus();
      find(panel, '#indexing').hidden = true;
      await refresh().catch((error) => showError(errorPlace, error));
    }
  }

  const progress = (share: number, words: string) => {
    bar.value = share;
    text.textContent = words;
  };

  /** Stores documents, then embeds all that waits. Documents that cannot be read are named at the end; the others are there. */
  const add = (list: (signal: AbortSignal) => Promise<Reader[]>, problems: string[] = []) =>
    run(async (signal) => {
      text.textContent = 'Loading the model …';
      const read = await list(signal);
      await picker.use(signal, async (model) => {
        const db = await database;
        await db.transaction((sql) => openIndex(sql, indexModelOf(picker.name(), model)));
        for (const [i, next] of read.entries()) {
          progress((READING * i) / read.length, `Reading document ${i + 1} of ${read.length}`);
          try {
            await storeDocument(db, model, await next(signal), signal);
          } catch (error) {
            signal.throwIfAborted();
            problems.push((error as Error).message);
          }
        }
        await refresh();
        const began = performance.now();
        let first: number | undefined;
        await embedWaiting(db, model, {
          signal,
          onProgress(done, total) {
            first ??= done;
            const left = ((performance.now() - began) / (done - first)) * (total - done);
            progress(
              READING + (1 - READING) * (done / total),
              `${count(done)} of ${plural(total, 'passage')} embedded${timeLeft(left)}`,
            );
          },
        });
        await db.syncToFs();
      });
      if (problems.length > 0) throw new Error(namedProblems(problems));
    });

  const remove = (id: string) => run(async () => void (await removeDocument(await database, id)));

  createDropZone(find(panel, '#drop'), {
    target: panel,
    onFiles(files) {
      const { readable, problems } = readableFiles(files);
      if (readable.length === 0) return showError(errorPlace, namedProblems(problems));
      void add(async () => readable.map((file) => (signal) => readDocument(file, signal)), problems);
    },
  });
  find(panel, '#add-sample').addEventListener('click', () => void add(sample));
  again.addEventListener('click', () => void add(async () => []));
  cancel.addEventListener('click', () => {
    waiting.length = 0;
    job?.abort();
  });
  find(panel, '#clear-index').addEventListener('click', () => {
    if (
      !confirm(`Delete the index of ${plural(size.documents, 'document')}? The files themselves stay where they are.`)
    )
      return;
    void run(async () => {
      size = EMPTY;
      onChange(); // ends a search that is on its way
      await clearIndex(await database);
    });
  });
  find(panel, '#export-sql').addEventListener('click', () => {
    void run(async (signal) => {
      const parts: string[] = [];
      for await (const part of dumpIndex(await database)) {
        signal.throwIfAborted();
        text.textContent = `Exporting: ${count(parts.push(part))} statements`;
      }
      saveFile('search-index.sql', new Blob(parts, { type: 'application/sql' }));
    });
  });
  find(panel, '#import-sql').addEventListener('click', () => importFile.click());
  importFile.addEventListener('change', () => {
    const file = importFile.files?.[0];
    importFile.value = ''; // so that the same file can be chosen again
    if (!file) return;
    void run(async () => {
      if (size.documents > 0)
        throw new Error('There is an index already. Export it if you need it, clear it, then import.');
      text.textContent = `Importing ${file.name}`;
      const dump = await file.text();
      const db = await database;
      await db.transaction(async (sql) => {
        await clearIndex(sql); // an empty one may be there
        await loadDump(sql, dump);
      });
      await db.syncToFs();
    });
  });

  const ready = refresh();
  ready.catch((error) => {
    find(panel, '#index-facts').textContent = '';
    showError(errorPlace, error);
  });
  // Another tab may have changed the index meanwhile.
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible' && !job) refresh().catch((error) => showError(errorPlace, error));
  });
  return { ready, size: () => size, isBusy: () => job !== undefined, model: () => model };
}

async function sample(signal: AbortSignal): Promise<Reader[]> {
  const response = await fetch('./samples/moby-dick.json', { signal });
  if (!response.ok) throw new Error(`The sample could not be loaded: HTTP status ${response.status}.`);
  return ((await response.json()) as Document[]).map((document) => async () => document);
}

function factsOf({ documents, chunks, waiting }: IndexSize, model: IndexModel | undefined): string {
  if (documents === 0) return 'Empty. Drop files, or take the sample.';
  const open = waiting > 0 ? `, ${count(waiting)} without a vector yet` : '';
  return `${plural(documents, 'document')}, ${plural(chunks, 'passage')}${open}. Vectors by ${model?.name}, ${model?.dtype}, ${model?.dim} numbers each.`;
}

function timeLeft(ms: number): string {
  if (!Number.isFinite(ms)) return '';
  const minutes = ms / 60_000;
  return minutes < 1 ? `, ${Math.ceil(ms / 1000)} s left` : `, ${Math.round(minutes)} min left`;
}

function documentItem({ name, chunks }: DocumentEntry, onRemove: () => void): HTMLLIElement {
  const button = element('button', { type: 'button', ariaLabel: `Remove ${name}` }, 'Remove');
  button.addEventListener('click', onRemove);
  return element('li', {}, element('span', {}, `${name}, ${plural(chunks, 'passage')}`), button);
}
