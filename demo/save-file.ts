import { element } from './dom';

/** Gives the user a file to keep. */
export function saveFile(name: string, blob: Blob): void {
  const href = URL.createObjectURL(blob);
  element('a', { href, download: name }).click();
  URL.revokeObjectURL(href);
}
