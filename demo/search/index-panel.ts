import type { IndexDocument, IndexProgress } from '../../src/search';
import { element, find, isAbort, messageOf, showError } from '../dom';
import { namedProblems, readableFiles, readDocument } from '../files/documents';
import { createDropZone } from '../files/drop-zone';
import '../files/drop-zone.css';
import { keptValue } from '../kept-value';
import type { ModelPicker } from '../models/model-picker';
import { plural } from '../numbers';
import { createProgress } from '../progress-view';
import type { TabState } from '../tab-state';
import type { CollectionName, Collections, Index } from './collections';
import { type Section, sectionsOf } from './sections';

export interface IndexPanel {
  /** Opens what is shown. */
  start(): Promise<void>;
  shown(): CollectionName;
  /** Whether it has nothing, as far as that is known. */
  isEmpty(): boolean;
  /** Whether it is being filled. */
  isBusy(): boolean;
  /** Embeds what is shown again, with the chosen model. */
  rebuild(): Promise<void>;
}

type Work = (signal: AbortSignal) => Promise<void>;

/** Characters of a passage of 128 tokens but for its overlap, about: how many there will be is not known. */
const PASSAGE = 430;
/** What tabs of this page do to the user's index one after the other; where they tell each other of it. */
const LOCK = 'modernbert-webgpu/demo/index';

/** What is searched, and what fills the user's index, empties it and takes it elsewhere. `onChange` hears when there is more or less to find. */
export function createIndexPanel(
  panel: HTMLElement,
  collections: Collections,
  picker: ModelPicker,
  state: TabState,
  onChange: () => void,
): IndexPanel {
  const choices = [...panel.querySelectorAll<HTMLInputElement>('[name=collection]')];
  const facts = find(panel, '#index-facts');
  const errorPlace = find(panel, '#index-error');
  const again = find(panel, '#continue-indexing');
  const documents = find(panel, '#documents');
  const importFile = find<HTMLInputElement>(panel, '#import-file');
  const channel = new BroadcastChannel(LOCK);
  /** Documents of what is shown; undefined until it is open. */
  let size: number | undefined;
  let job: AbortController | undefined;
  let isRunning = false;
  const waiting: Work[] = [];
  const progressPlace = find(panel, '#indexing');
  const progress = createProgress(progressPlace, () => {
    waiting.length = 0;
    job?.abort();
  });
  /** Sections that were to be embedded when it was cancelled, or the page closed. */
  let rest: IndexDocument<Section>[] = [];
  const keptRest = keptValue<IndexDocument<Section>[]>('search/rest');
  function setRest(sections: IndexDocument<Section>[]) {
    rest = sections;
    return keptRest.write(sections.length > 0 ? sections : undefined);
  }

  const shown = () => (choices.find((radio) => radio.checked)?.value ?? 'sample') as CollectionName;

  async function refresh() {
    const name = shown();
    const isOwn = name === 'own';
    const hasIndex = !isOwn || collections.madeBy('own') !== undefined;
    const index = hasIndex ? await collections.open(name) : undefined;
    if (name !== shown()) return;
    size = index?.size ?? 0;
    const files = isOwn && index ? sectionsByFile(index) : new Map<string, string[]>();
    const none = job ? 'No files yet: the first are on their way.' : 'No files yet: drop some anywhere here.';
    facts.textContent = index && index.size > 0 ? factsOf(name, index, files.size) : none;
    again.hidden = rest.length === 0 || job !== undefined;
    find(panel, '#index-actions').hidden = !isOwn || (size === 0 && rest.length === 0) || job !== undefined;
    documents.hidden = files.size === 0;
    find(documents, 'ul').replaceChildren(
      ...Array.from(files, ([file, ids]) => fileItem(file, ids.length, () => void remove(file, ids))),
    );
    onChange();
  }

  function factsOf(name: CollectionName, { size, passages }: Index, files: number): string {
    const what = name === 'sample' ? plural(size, 'chapter') : plural(files, 'file');
    return `${what}, ${plural(passages, 'passage')}. Vectors by ${collections.madeBy(name)}.`;
  }

  const shownOf = () => (state.get('in') === 'own' ? 'own' : 'sample');

  function check(name: CollectionName) {
    size = undefined;
    for (const radio of choices) radio.checked = radio.value === name;
    state.set('in', name === 'own' ? 'own' : undefined);
  }

  /** Shows a collection, and what is found in it. */
  async function show(name: CollectionName) {
    check(name);
    await refresh().catch((error) => {
      facts.textContent = '';
      showError(errorPlace, error);
    });
  }

  /** One thing after the other. */
  async function run(work: Work) {
    waiting.push(work);
    if (isRunning) return;
    isRunning = true;
    showError(errorPlace, undefined);
    for (let next = waiting.shift(); next; next = waiting.shift()) await runNow(next);
    isRunning = false;
  }

  /** Shows the progress of something, lets the user cancel it, and says what went wrong. */
  async function runNow(work: Work) {
    job = new AbortController();
    const { signal } = job;
    progress.show({ what: 'Starting' });
    // What is hidden must not keep the focus.
    if (document.activeElement?.closest('#index-actions, #documents, #embed-again'))
      find(progressPlace, 'button').focus();
    find(panel, '#index-actions').hidden = true;
    try {
      await navigator.locks.request(LOCK, { ifAvailable: true }, async (lock) => {
        if (!lock) throw new Error('Another tab of this page is changing the index. Try again when it is done.');
        await work(signal).finally(() => channel.postMessage(collections.madeBy('own')));
      });
    } catch (error) {
      if (!isAbort(error)) showError(errorPlace, [errorPlace.textContent, messageOf(error)].filter(Boolean).join('\n'));
    } finally {
      job = undefined;
      if (progressPlace.contains(document.activeElement)) find(panel, '#query').focus();
      progress.hide();
      await refresh().catch((error) => showError(errorPlace, error));
    }
  }

  /** Shows how far embedding `characters` is, and what can be found meanwhile. */
  function embedding(characters: number): (progress: IndexProgress) => void {
    const all = Math.max(1, Math.round(characters / PASSAGE));
    let stored = 0;
    return ({ done, passages }) => {
      if (done > stored) refresh().catch((error) => showError(errorPlace, error));
      stored = done;
      progress.show({
        what: 'Embedding',
        done: passages,
        total: Math.max(all, passages + 1),
        isGuess: true,
        unit: 'passage',
      });
    };
  }

  /** Puts sections into the user's index, in the place of what it has of their files. */
  const fill = (sections: IndexDocument<Section>[], signal: AbortSignal) =>
    picker.use(signal, async () => {
      const made = collections.madeBy('own') ?? picker.name();
      if (made !== picker.name()) {
        throw new Error(
          `Your index has vectors by ${made}. Choose that model, or embed the index again with ${picker.name()} first: search for something.`,
        );
      }
      const index = await collections.open('own');
      collections.setOwn(picker.name());
      const ids = new Set(sections.map(({ id }) => id));
      const files = new Set(sections.map(({ metadata }) => metadata?.file));
      await index.remove([...index.documents()].filter((d) => files.has(d.metadata.file) && !ids.has(d.id)).map(idOf));
      const others = rest.filter(({ metadata }) => !files.has(metadata?.file)); // that were cancelled before
      await setRest([...others, ...sections]);
      void navigator.storage.persist?.();
      const characters = sections.reduce((sum, { text }) => sum + text.length, 0);
      await index.add(sections, { signal, onProgress: embedding(characters) });
      await setRest(others);
    });

  const addFiles = (files: File[]) => {
    const { readable, problems } = readableFiles(files);
    if (readable.length === 0) return showError(errorPlace, namedProblems(problems));
    void run(async (signal) => {
      const sections: IndexDocument<Section>[] = [];
      for (const [i, file] of readable.entries()) {
        progress.show({ what: 'Reading', done: i, total: readable.length, unit: 'file' });
        try {
          for (const section of sectionsOf(await readDocument(file, signal))) sections.push(section);
        } catch (error) {
          signal.throwIfAborted();
          problems.push(messageOf(error));
        }
      }
      if (problems.length > 0) showError(errorPlace, namedProblems(problems));
      progress.show({ what: 'Loading the model' });
      if (sections.length > 0) await fill(sections, signal);
    });
    void show('own');
  };

  const remove = (file: string, ids: string[]) =>
    run(async () => {
      await setRest(rest.filter(({ metadata }) => metadata?.file !== file));
      await (await collections.open('own')).remove(ids);
    });

  createDropZone(find(panel, '#drop'), { target: panel, onFiles: addFiles });
  again.addEventListener('click', () => void run((signal) => fill(rest, signal)));
  for (const radio of choices) {
    radio.addEventListener('change', () => void show(shown()));
  }
  find(panel, '#clear-index').addEventListener('click', () => {
    if (!confirm('Delete the index of your files? The files themselves stay where they are.')) return;
    void run(async () => {
      const index = await collections.open('own');
      await setRest([]);
      await index.remove([...index.documents()].map(idOf));
      collections.setOwn(undefined);
      await collections.reload(); // an empty one takes the next model
    });
  });
  find(panel, '#import-index').addEventListener('click', () => importFile.click());
  importFile.addEventListener('change', () => {
    const file = importFile.files?.[0];
    importFile.value = ''; // so that the same file can be chosen again
    if (!file) return;
    const isFilled = collections.madeBy('own') !== undefined;
    if (isFilled && !confirm(`Put ${file.name} in the place of the index of your files?`)) return;
    void run(async (signal) => {
      progress.show({ what: `Importing ${file.name}` });
      await picker.use(signal, (model) => collections.replace(model, file, signal));
    });
    void show('own');
  });

  // Another tab has changed the user's index.
  channel.addEventListener('message', async ({ data }: MessageEvent<string | undefined>) => {
    collections.setOwn(data);
    if (job) return;
    rest = (await keptRest.read()) ?? [];
    await collections.reload();
    await refresh().catch((error) => showError(errorPlace, error));
  });
  state.onChange(() => {
    if (shownOf() !== shown()) void show(shownOf());
  });
  check(shownOf());

  return {
    shown,
    isEmpty: () => size === 0,
    isBusy: () => job !== undefined,
    async start() {
      await show(shown());
      rest = (await keptRest.read()) ?? [];
      if (rest.length > 0) await refresh().catch((error) => showError(errorPlace, error));
    },
    rebuild: () =>
      run((signal) =>
        picker.use(signal, async (model) => {
          const name = shown();
          const texts = Array.from((await collections.open(name)).documents(), ({ text }) => text.length);
          const onProgress = embedding(texts.reduce((a, b) => a + b, 0));
          await collections.rebuild(name, model, { signal, onProgress });
        }),
      ),
  };
}

const idOf = ({ id }: { id: string }) => id;

/** The ids of each file's sections. */
function sectionsByFile(index: Index): Map<string, string[]> {
  const files = new Map<string, string[]>();
  for (const { id, metadata } of index.documents()) {
    const ids = files.get(metadata.file);
    if (ids) ids.push(id);
    else files.set(metadata.file, [id]);
  }
  return files;
}

function fileItem(name: string, sections: number, onRemove: () => void): HTMLLIElement {
  const button = element('button', { type: 'button', ariaLabel: `Remove ${name}` }, 'Remove');
  button.addEventListener('click', onRemove);
  return element('li', {}, element('span', {}, sections > 1 ? `${name}, ${plural(sections, 'part')}` : name), button);
}
