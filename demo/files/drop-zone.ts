import { element } from '../dom';
import { DOCUMENT_TYPES } from './documents';

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

/** Puts into `place` what takes files: by drag and drop, folders included, or by buttons, which also work from the keyboard. */
export function createDropZone(place: HTMLElement, options: DropZoneOptions): void {
  const {
    target = place,
    accept = DOCUMENT_TYPES,
    prompt = 'Drop files or a folder here',
    folders = true,
    multiple = true,
  } = options;
  const take = (files: Iterable<File>) => {
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
  target.addEventListener('drop', async (event) => {
    if (!hasFiles(event) || !event.dataTransfer) return;
    event.preventDefault();
    inside = 0;
    mark(false);
    take(await droppedFiles(event.dataTransfer));
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

async function droppedFiles({ items }: DataTransfer): Promise<File[]> {
  // The list is gone once the event is over: everything is taken before anything is waited for.
  const taken = [...items].map((item) => item.webkitGetAsEntry() ?? item.getAsFile());
  const files = taken.map((entry) => (entry instanceof File ? [entry] : entry ? entryFiles(entry) : []));
  return (await Promise.all(files)).flat();
}

async function entryFiles(entry: FileSystemEntry): Promise<File[]> {
  if (isFile(entry)) {
    const file = await new Promise<File>((resolve, reject) => entry.file(resolve, reject));
    const path = entry.fullPath.replace(/^\//, '');
    return [path === file.name ? file : new File([file], path, { type: file.type, lastModified: file.lastModified })];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const found: FileSystemEntry[] = [];
  for (;;) {
    const batch = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (batch.length === 0) break; // at most 100 come at a time
    for (const entry of batch) found.push(entry);
  }
  return (await Promise.all(found.filter(({ name }) => !name.startsWith('.')).map(entryFiles))).flat();
}

const isFile = (entry: FileSystemEntry): entry is FileSystemFileEntry => entry.isFile;
