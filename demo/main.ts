import { createApps, type TabModule } from './app';
import { browserName } from './browser-name';
import { element, find, messageOf, savesData } from './dom';
import { startFillMask } from './fill-mask/main';
import { keepOffline } from './offline';
import { readSample } from './sample';
import { startStorageButton } from './storage/storage-button';
import { createHashState } from './tab-state';
import { createTabs } from './tabs';

const FIRST = 'fill-mask';
/** The other tabs, each a folder with its own main.ts, in a file of its own. */
const modules = import.meta.glob<TabModule>(['./*/main.ts', '!./fill-mask/main.ts']);
const loaderOf = (name: string) => modules[`./${name}/main.ts`];
const known = (name: string) => (loaderOf(name) ? name : FIRST);

const list = find(document, '#tabs');
for (const tab of list.querySelectorAll<HTMLElement>('[role=tab]')) {
  if (`tab-${known(tab.id.replace('tab-', ''))}` !== tab.id) tab.remove();
}

const hash = createHashState(known, (name) => void open(name));
const appOf = createApps();
const showTab = createTabs(list, (name) => {
  if (name !== hash.tab()) hash.go(name);
  void open(name);
});
const started = new Set<string>();

const fillMask = startFillMask(find(document, `#${FIRST}`), appOf(hash.of(FIRST)));

/** Shows a tab, and starts it the first time. Resolves when it loads nothing more by itself. */
async function open(name: string): Promise<void> {
  showTab(name);
  if (name === FIRST) await fillMask.show();
  else if (!started.has(name)) await start(name);
}

async function start(name: string) {
  started.add(name);
  const panel = find(document, `#${name}`);
  panel.ariaBusy = 'true';
  // On its way beside the tab's scripts; the tab says what went wrong.
  if (name === 'search' && hash.of(name).get('in') !== 'own') void readSample().catch(() => {});
  try {
    const { start } = await loaderOf(name)();
    panel.replaceChildren();
    await start(panel, appOf(hash.of(name)));
  } catch (error) {
    started.delete(name); // opening the tab again tries again
    const text = `This part of the page could not be loaded. ${messageOf(error)} Open the tab again to try again.`;
    panel.replaceChildren(element('p', { className: 'error', role: 'alert' }, text));
  } finally {
    panel.ariaBusy = null;
  }
}

/** A browser may have WebGPU and no GPU that it would use: on blocked drivers, in virtual machines. Waits for the GPU's process, as the page then does. */
async function checkGpu(): Promise<void> {
  if (await navigator.gpu?.requestAdapter().catch(() => null)) return;
  const notice = find(document, '#no-webgpu');
  if (navigator.gpu) find(notice, 'h2').textContent = 'This browser found no GPU that it would use';
  find(notice, '#webgpu-browsers').hidden = navigator.gpu !== undefined;
  find(notice, '#insecure-page').hidden = isSecureContext;
  const advice = notice.querySelector<HTMLElement>(`[data-browser=${browserName(navigator.userAgent)}]`);
  if (advice) advice.hidden = false;
  notice.hidden = false;
}

// A file that misses the place where it is wanted must not replace the page.
function refuse(event: DragEvent): void {
  if (event.defaultPrevented || !event.dataTransfer?.types.includes('Files')) return;
  event.preventDefault();
  event.dataTransfer.dropEffect = 'none';
}
addEventListener('dragover', refuse);
addEventListener('drop', refuse);

startStorageButton(find(document, '#storage'), find(document, '#storage-error'));
const opened = open(hash.tab());
if (navigator.gpu) void opened.then(checkGpu);
else void checkGpu();

// After the first model is there: Chromium may fail two downloads of one file at a time.
if (import.meta.env.PROD && navigator.serviceWorker && !savesData()) {
  addEventListener('load', async () => {
    await opened;
    keepOffline(document).catch((reason) => console.info('The page is not kept for use offline:', reason));
  });
}
