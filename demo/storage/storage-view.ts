import type { CachedModel } from '../../src/index';
import { deleteCached } from '../../src/index';
import { element, showError } from '../dom';
import { fileSize } from '../numbers';
import { keptName, listOf, type Part, readStored, removeAll, type Stored } from './storage';
import './storage.css';
import { STORAGE_CHANGE } from './storage-change';

/** What is kept on the device, each with a button that deletes it. */
export interface StorageView {
  /** Shows what is kept now. */
  update(): Promise<void>;
}

/** Puts the list into `place`. With `onUse`, kept models have a button that takes them. */
export function createStorageView(
  place: HTMLElement,
  onUse?: (model: { name: string; source: string; dtype: CachedModel['dtype'] }) => void,
): StorageView {
  const total = element('p', { className: 'hint total' });
  const list = element('ul', { className: 'kept', ariaLabel: 'Kept on this device' });
  const error = element('p', { className: 'error', role: 'alert', hidden: true });
  const status = element('p', { className: 'hint', role: 'status' });
  const all = element('button', { type: 'button', className: 'delete-all' }, 'Delete all');
  place.append(total, list, error, status, all);
  let stored: Stored | undefined;

  /** Deletes, says what is gone, and puts the focus where the user can go on. */
  async function remove(what: string, work: () => Promise<unknown>) {
    showError(error, undefined);
    try {
      await work();
      status.textContent = `Deleted: ${what}.`;
    } catch (reason) {
      showError(error, reason);
    }
    await update();
    dispatchEvent(new Event(STORAGE_CHANGE));
    (
      list.querySelector<HTMLElement>('button') ?? place.closest('dialog')?.querySelector<HTMLElement>('.close')
    )?.focus();
  }

  function row(name: string, facts: string, buttons: HTMLElement[]): HTMLElement {
    const text = element('span', {}, element('span', {}, name), element('span', { className: 'known-facts' }, facts));
    return element('li', {}, text, ...buttons);
  }

  function button(text: string, name: string, onClick: () => void): HTMLElement {
    const made = element('button', { type: 'button', ariaLabel: name }, text);
    made.addEventListener('click', onClick);
    return made;
  }

  function modelRow(model: CachedModel): HTMLElement {
    const { source, dtype } = model;
    const name = keptName(model);
    const what = `${name}, ${dtype}`;
    const use = onUse && button('Use', `Use ${what}`, () => onUse({ name, source, dtype }));
    const gone = button('Delete', `Delete ${what}`, () => remove(what, () => deleteCached(model)));
    return row(name, `${dtype}, ${fileSize(model.bytes)}`, use ? [use, gone] : [gone]);
  }

  function partRow(part: Part): HTMLElement {
    const gone = button('Delete', `Delete: ${part.name}`, async () => {
      if (part.isOwn && !(await ask(place, `Delete ${part.what}?`, 'Delete'))) return;
      await remove(part.name, () => part.remove());
    });
    return row(part.name, part.bytes === undefined ? 'size unknown' : fileSize(part.bytes), [gone]);
  }

  const update = () => show().catch((reason) => showError(error, reason));

  async function show() {
    stored = await readStored();
    const { models, parts } = stored;
    total.textContent = stored.total ? `${fileSize(stored.total)} in all, as the browser counts.` : '';
    if (models.length + parts.length === 0) total.textContent = 'Nothing yet. Models that were loaded are kept.';
    list.replaceChildren(...models.map(modelRow), ...parts.map(partRow));
    all.hidden = models.length + parts.length === 0;
  }

  all.addEventListener('click', async () => {
    if (!stored) return;
    const going = stored;
    const question = `Delete ${listOf(going)}? What is open in this page stays usable until you close it.`;
    if (await ask(place, question, 'Delete all')) await remove('everything', () => removeAll(going));
  });
  return { update };
}

/** Asks in a dialog. Resolves to whether the user agreed. */
function ask(place: HTMLElement, question: string, yes: string): Promise<boolean> {
  const cancel = element('button', { value: 'no', autofocus: true }, 'Cancel');
  const agree = element('button', { value: 'yes', className: 'primary' }, yes);
  const dialog = element(
    'dialog',
    { className: 'ask-dialog', ariaLabel: yes },
    element('p', {}, question),
    element('div', { className: 'row' }, cancel, agree),
  );
  for (const button of [cancel, agree]) {
    button.type = 'button';
    button.addEventListener('click', () => dialog.close(button.value));
  }
  place.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      resolve(dialog.returnValue === 'yes');
      dialog.remove();
    });
  });
}

let opened: { dialog: HTMLDialogElement; view: StorageView } | undefined;

/** Shows what is kept, in a dialog of its own. The focus comes back to `opener`. */
export function openStorage(opener: HTMLElement): void {
  if (!opened) {
    const close = element('button', { type: 'button', className: 'close' }, 'Close');
    const place = element('div', { className: 'storage' });
    const dialog = element(
      'dialog',
      { className: 'storage-dialog', ariaLabel: 'Storage on this device' },
      element('h2', {}, 'Storage on this device'),
      place,
      element('div', { className: 'row' }, close),
    );
    close.addEventListener('click', () => dialog.close());
    dialog.addEventListener('close', () => opener.focus());
    document.body.append(dialog);
    opened = { dialog, view: createStorageView(place) };
  }
  opened.dialog.showModal();
  void opened.view.update();
}
