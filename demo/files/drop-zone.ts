import { element, showError } from '../dom';
import { DOCUMENT_TYPES, namedProblems } from './documents';
import { readDropped } from './dropped';

export interface DropZoneOptions {
  /** Where files may be dropped; the zone itself is only the sign of it. Default: the zone. */
  target?: HTMLElement;
  /** File name extensions of the picker, `.csv,.tsv`. Default: what readDocument reads. */
  accept?: string;
  /** What the zone says, before “or choose”. Default: 'Drop files or a folder here'. */
  prompt?: string;
  /** A second button that takes a whole folder. Default true. */
  folders?: boolean;
  /** Several files at once by the button. Default true. */
  multiple?: boolean;
  /** Files in the order of their paths; those of folders are named with them (fileName in documents.ts). */
  onFiles(files: File[]): void;
}

/** Whether one of the folders that it lies in, or it itself within a folder, is hidden by the system: .git, .DS_Store. */
const isHidden = (path: string) => /\/\./.test(path);

/**
 * Puts into `place` what takes files: by drag and drop, folders included, or by buttons, which also work from the keyboard. Under it
 * stands what of a drop the browser could not read.
 */
export function createDropZone(place: HTMLElement, options: DropZoneOptions): void {
  const {
    target = place,
    accept = DOCUMENT_TYPES,
    prompt = 'Drop files or a folder here',
    folders = true,
    multiple = true,
  } = options;
  const take = (files: Iterable<File>) => {
    showError(unread, undefined);
    const shown = [...files].filter((file) => !isHidden(pathOf(file)));
    const list = shown.sort((a, b) => pathOf(a).localeCompare(pathOf(b), 'en', { numeric: true }));
    if (list.length > 0) options.onFiles(list);
  };

  place.classList.add('drop-zone');
  place.append(
    element('p', {}, prompt),
    chooser(multiple ? 'Choose files' : 'Choose a file', { accept, multiple }, take),
  );
  if (folders) place.append(chooser('Choose a folder', { webkitdirectory: true }, take));
  const unread = element('p', { className: 'error', role: 'alert', hidden: true });
  place.after(unread);

  async function takeDropped(entries: (FileSystemEntry | File)[]) {
    const { files, problems } = await readDropped(entries);
    take(files);
    if (problems.length > 0) showError(unread, namedProblems(problems));
    else if (files.length === 0) showError(unread, 'There is no file in what was dropped.');
  }

  let inside = 0; // dragenter and dragleave come for every element that is crossed
  const mark = (on: boolean) => place.classList.toggle('drop-here', on);
  const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false;
  target.addEventListener('dragenter', (event) => {
    if (hasFiles(event)) mark(++inside > 0);
  });
  target.addEventListener('dragleave', (event) => {
    if (hasFiles(event)) mark(--inside > 0);
  });
  target.addEventListener('dragover', (event) => {
    if (hasFiles(event)) event.preventDefault();
  });
  target.addEventListener('drop', (event) => {
    if (!hasFiles(event) || !event.dataTransfer) return;
    event.preventDefault();
    inside = 0;
    mark(false);
    // The list is gone once the event is over: everything is taken before anything is waited for.
    const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry() ?? item.getAsFile());
    void takeDropped(entries.filter((entry) => entry !== null));
  });
}

const pathOf = (file: File) => file.webkitRelativePath || file.name;

/** A button that opens the browser's file picker. */
function chooser(label: string, properties: Partial<HTMLInputElement>, take: (files: Iterable<File>) => void) {
  const input = element('input', { type: 'file', hidden: true, ariaLabel: label, ...properties }) as HTMLInputElement;
  const button = element('button', { type: 'button' }, label);
  button.addEventListener('click', () => input.click());
  input.addEventListener('change', () => {
    take([...(input.files ?? [])]);
    input.value = ''; // so that the same file can be chosen again
  });
  return element('span', {}, button, input);
}
