// The page's side of its service worker (service-worker.ts).
import { find } from './dom';
import { fileSize } from './numbers';
import { STORAGE_CHANGE } from './storage/storage-change';

/** What the page asks its service worker: what is not kept yet, to keep it, or to replace the version before. */
export type OfflineRequest = 'what is missing' | 'keep the rest' | 'take over';
/** Bytes of the page that are not kept yet; or that the new version waits, as other tabs show the old one. */
export type OfflineAnswer = { missing: number; error?: string } | { otherTabs: true };

/** Has the page kept on the device, says in its foot what is kept, and offers a new version once it is there. */
export async function keepOffline(root: ParentNode): Promise<void> {
  const { serviceWorker } = navigator;
  const status = find(root, '#offline');
  const keep = find<HTMLButtonElement>(root, '#offline-keep');
  const notice = find(root, '#new-version');
  let isAsked = false;

  serviceWorker.addEventListener('message', ({ data }: MessageEvent<OfflineAnswer>) => {
    if ('otherTabs' in data) {
      find(notice, 'span').textContent =
        'A new version of this page is ready. Close its other tabs first: they show the old one.';
      return;
    }
    find(status, 'span').textContent = offlineText(data);
    status.hidden = false;
    keep.hidden = data.missing === 0;
    if (data.missing === 0 || data.error) keep.disabled = false;
  });
  serviceWorker.addEventListener('controllerchange', () => {
    if (isAsked) location.reload();
  });

  const registration = await serviceWorker.register('./service-worker.js');
  const ask = (target: ServiceWorker | null, request: OfflineRequest) => target?.postMessage(request);
  keep.addEventListener('click', () => {
    keep.disabled = true;
    ask(registration.active, 'keep the rest');
  });
  find(notice, 'button').addEventListener('click', () => {
    isAsked = true;
    ask(registration.waiting, 'take over');
  });
  // The first worker waits for a moment too; it replaces nothing.
  const offer = () => {
    notice.hidden = !(registration.waiting && serviceWorker.controller);
  };
  registration.addEventListener('updatefound', () => registration.installing?.addEventListener('statechange', offer));
  offer();
  addEventListener(STORAGE_CHANGE, async () => {
    if (!(await serviceWorker.getRegistration())) status.hidden = true; // the copy was deleted
  });
  ask((await serviceWorker.ready).active, 'what is missing');
}

function offlineText({ missing, error }: { missing: number; error?: string }): string {
  if (error) return `Not all of the page could be kept for use offline: ${error}`;
  return missing === 0
    ? 'All of this page works offline.'
    : `This page and nano work offline. The other tabs' models and samples take ${fileSize(missing)} more.`;
}
