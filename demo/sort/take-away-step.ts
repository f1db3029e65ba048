import type { HeadFile } from '../classify/head-file';
import { element, find, isAbort, showError } from '../dom';
import type { ModelPicker } from '../models/model-picker';
import { plural } from '../numbers';
import { createProgress } from '../progress-view';
import type { TabState } from '../tab-state';
import { jsonFile } from '../take-away/save-file';
import { createTakeAway, type Exported } from '../take-away/take-away';
import type { Collection } from './collection';
import { type Copied, copyIntoFolders, UNSORTED } from './copy-folders';
import type { Engine } from './engine';
import { classOf, csvOf } from './table';
import { HEAD_FILE, usage } from './take';

/** What there is to take away. `originals`: the files of this visit, by hash. */
export interface Results {
  collection: Collection;
  engine: Engine;
  picker: ModelPicker;
  originals: ReadonlyMap<string, File>;
}

/** The last step: the table of all files, the trained classifier, code, and the files in folders of their classes. */
export function startTakeAway(panel: HTMLElement, state: TabState, results: Results): { update(): void } {
  const { collection, engine, originals, picker } = results;
  const button = find<HTMLButtonElement>(panel, '#sort-copy');
  const note = find(panel, '#sort-copy-note');
  const error = find(panel, '#sort-copy-error');

  function head(): HeadFile | undefined {
    const { classifier } = engine.learnt;
    return classifier && { ...classifier.toJSON(), model: engine.madeBy };
  }

  async function table(): Promise<Blob> {
    const text = await csvOf(collection.documents.values(), collection.labels(), engine.learnt.scores);
    return new Blob([text], { type: 'text/csv' });
  }

  function files(): Exported[] {
    const trained = head();
    return [
      { label: 'Table of all files as CSV', name: 'files.csv', make: table },
      ...(trained ? [{ label: 'Trained classifier', name: HEAD_FILE, make: () => jsonFile(trained) }] : []),
    ];
  }

  function toCopy(): Copied[] {
    const [labels, { scores }] = [collection.labels(), engine.learnt];
    const copies = [...collection.documents.values()].map(({ hash, names: [name] }) => {
      const file = originals.get(hash);
      return file && { name, file, label: classOf(hash, labels, scores)?.label ?? UNSORTED };
    });
    return copies.filter((copied) => copied !== undefined);
  }

  let job: AbortController | undefined;
  const row = find(panel, '#sort-copy-row');
  const progressPlace = element('div', { className: 'copying' });
  row.after(progressPlace);
  const progress = createProgress(progressPlace, () => job?.abort());

  async function copy() {
    if (job) return; // the button is not disabled meanwhile: that would take the focus away
    job = new AbortController();
    const { signal } = job;
    let copied = 0;
    showError(error, undefined);
    try {
      const files = toCopy();
      const missing = collection.documents.size - files.length;
      if (missing > 0) {
        throw new Error(
          `Of ${plural(missing, 'file')} only the text was kept from your last visit. Drop the same files again; their labels are still there.`,
        );
      }
      const target = await window.showDirectoryPicker?.({ mode: 'readwrite', id: 'sorted' });
      if (!target) return;
      await copyIntoFolders(target, files, signal, (done, total) => {
        copied = done;
        progress.show({ what: 'Copying', done, total, unit: 'file' });
      });
      note.textContent = `${plural(files.length, 'file')} copied into ${target.name}.`;
    } catch (reason) {
      if (signal.aborted) note.textContent = `Cancelled: ${plural(copied, 'file')} copied, and the others not.`;
      else if (!isAbort(reason)) showError(error, reason); // the user closed the picker
    } finally {
      job = undefined;
      const hadFocus = progressPlace.contains(document.activeElement);
      progress.hide();
      if (hadFocus) button.focus();
    }
  }

  row.hidden = window.showDirectoryPicker === undefined;
  button.addEventListener('click', () => void copy());

  return createTakeAway(find(panel, '.take-away'), state, {
    code() {
      const trained = head();
      if (!trained) throw new Error('There is no trained classifier yet. It takes two labels of each class.');
      return { typescript: usage(trained, picker.choice()) };
    },
    exports: files,
  });
}
