// The page's side of its service worker (service-worker.ts).
import { find } from './dom';
import { fileSize } from './numbers';
import { createProgress } from './progress-view';
import { STORAGE_CHANGE } from './storage/storage-change';

/** What the page asks its service worker: what is not kept yet, to keep it, or to replace the version before. */
export type OfflineRequest = 'what is missing' | 'keep the rest' | 'take over';
/** Bytes of the page that are not kept yet; or that the new version waits, as other tabs show the old one. */
export type OfflineAnswer = { missing: number } | { otherTabs: true };
/**
 * Said in the port that comes with `keep the rest`: bytes that have come, of how many; and at last that all is kept, or why not (undefined: it was
 * stopped). Whatever the page says in it stops the work.
 */
export type KeepAnswer = { done: number; total: number } | 'kept' | { error: string | undefined };

/** Milliseconds without a word of a service worker after which it, or the network, has ended: at work, and asked to stop. */
const SILENCE = { working: 60_000, stopping: 5000 };

/** Has the page kept on the device, says in its foot what is kept, and offers a new version once it is there. */
export async function keepOffline(root: ParentNode): Promise<void> {
  const { serviceWorker } = navigator;
  const status = find(root, '#offline');
  const keep = find<HTMLButtonElement>(root, '#offline-keep');
  const notice = find(root, '#new-version');
  let isAsked = false;
  /** Why not all is kept. */
  let problem: string | undefined;
  let missing = 0;
  const showMissing = () => {
    find(status, 'span').textContent = offlineText(missing, problem);
  };

  serviceWorker.addEventListener('message', ({ data }: MessageEvent<OfflineAnswer>) => {
    if ('otherTabs' in data) {
      find(notice, 'span').textContent =
        'A new version of this page is ready. Close its other tabs first: they show the old one.';
      return;
    }
    missing = data.missing;
    showMissing();
    status.hidden = false;
    const hadFocus = document.activeElement === keep;
    keep.hidden = data.missing === 0;
    if (hadFocus && keep.hidden) find(root, '#storage').focus(); // what is next to it
  });
  serviceWorker.addEventListener('controllerchange', () => {
    if (isAsked) location.reload();
  });

  const registration = await serviceWorker.register('./service-worker.js');
  const ask = (target: ServiceWorker | null, request: OfflineRequest, ports: MessagePort[] = []) =>
    target?.postMessage(request, ports);
  keepOnClick(status, keep, {
    start(port) {
      problem = undefined;
      showMissing();
      ask(registration.active, 'keep the rest', [port]);
    },
    end(reason) {
      problem = reason;
      ask(registration.active, 'what is missing');
    },
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

/** Makes the button `keep` start keeping the rest, and shows in `place` how far that is. `end` hears why not all was kept, if it was not stopped. */
function keepOnClick(
  place: HTMLElement,
  keep: HTMLButtonElement,
  on: { start(port: MessagePort): void; end(reason: string | undefined): void },
): void {
  const progress = createProgress(place, () => stop());
  let stop = () => {};

  keep.addEventListener('click', () => {
    const { port1: port, port2 } = new MessageChannel();
    let isStopping = false;
    let silence: ReturnType<typeof setTimeout> | undefined;
    const end = (reason?: string) => {
      clearTimeout(silence);
      port.close();
      const hadFocus = place.contains(document.activeElement);
      progress.hide();
      keep.hidden = false; // until it is known whether anything is missing
      if (hadFocus) keep.focus();
      on.end(reason);
      dispatchEvent(new Event(STORAGE_CHANGE));
    };
    const expectWord = () => {
      clearTimeout(silence);
      silence = isStopping
        ? setTimeout(end, SILENCE.stopping)
        : setTimeout(() => end('the network does not answer. Try again when it does.'), SILENCE.working);
    };
    stop = () => {
      isStopping = true;
      port.postMessage('stop');
      progress.show({ what: 'Stopping' });
      expectWord();
    };
    port.onmessage = ({ data }: MessageEvent<KeepAnswer>) => {
      if (data === 'kept') end();
      else if ('error' in data) end(data.error);
      else if (!isStopping) {
        progress.show({ what: 'Keeping for use offline', ...data, unit: 'bytes' });
        expectWord();
      }
    };
    progress.show({ what: 'Keeping for use offline' });
    keep.hidden = true;
    find(place, '.progress button').focus();
    expectWord();
    on.start(port2);
  });
}

function offlineText(missing: number, problem: string | undefined): string {
  if (missing === 0) return 'All of this page works offline.';
  if (problem) return `Not all of the page could be kept for use offline: ${problem}`;
  return `This page and nano work offline. The other tabs' models and samples take ${fileSize(missing)} more.`;
}
