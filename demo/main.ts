import { createApps, type TabModule } from './app';
import { element, find } from './dom';
import { startFillMask } from './fill-mask/main';
import { keepOffline } from './offline';
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

const hash = createHashState(known, open);
const appOf = createApps();
const showTab = createTabs(list, (name) => {
  if (name !== hash.tab()) hash.go(name);
  open(name);
});
const started = new Set<string>();

const fillMask = startFillMask(find(document, `#${FIRST}`), appOf(hash.of(FIRST)));

/** Shows a tab, and starts it the first time. */
function open(name: string) {
  showTab(name);
  if (name === FIRST) fillMask.show();
  else if (!started.has(name)) void start(name);
}

async function start(name: string) {
  started.add(name);
  const panel = find(document, `#${name}`);
  panel.ariaBusy = 'true';
  try {
    const { start } = await loaderOf(name)();
    panel.replaceChildren();
    start(panel, appOf(hash.of(name)));
  } catch (error) {
    started.delete(name); // opening the tab again tries again
    const reason = error instanceof Error ? error.message : String(error);
    const text = `This part of the page could not be loaded: ${reason} Open the tab again to try again.`;
    panel.replaceChildren(element('p', { className: 'error', role: 'alert' }, text));
  } finally {
    panel.ariaBusy = null;
  }
}

if (navigator.gpu === undefined) {
  find(document, '#no-webgpu').hidden = false;
  find(document, '#insecure-page').hidden = isSecureContext;
}
open(hash.tab());

// Not while the page loads, and not for those who count their bytes.
const savesData = (navigator as { connection?: { saveData?: boolean } }).connection?.saveData;
if (import.meta.env.PROD && navigator.serviceWorker && !savesData) {
  addEventListener('load', () => {
    keepOffline(document).catch((reason) => console.info('The page is not kept for use offline:', reason));
  });
}
