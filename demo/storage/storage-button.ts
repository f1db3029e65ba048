import { showError } from '../dom';
import { fileSize } from '../numbers';
import { STORAGE_CHANGE } from './storage-change';

/** Makes a button of the page's foot say how much is kept on the device, and open what lists it. */
export function startStorageButton(button: HTMLButtonElement, error: HTMLElement): void {
  async function update() {
    const { usage } = (await navigator.storage?.estimate?.().catch(() => undefined)) ?? {};
    button.textContent = usage ? `Storage: ${fileSize(usage)}` : 'Storage';
  }
  addEventListener(STORAGE_CHANGE, () => void update());
  button.addEventListener('pointerenter', () => void update());
  button.addEventListener('click', async () => {
    showError(error, undefined);
    try {
      (await import('./storage-view')).openStorage(button);
    } catch (reason) {
      showError(error, reason);
    }
  });
  void update();
}
