/** The shared worker's side: it serves its tabs itself, or passes their connections on to the one that leads. */
import { type FromTab, hold, type Joined, newLock, type ToTab, whenFree } from './messages';
import type { ModelServer } from './serve';

const forEver = new Promise<void>(() => {});

/** `scope`: what gets the tabs' connect events. */
export function acceptTabs(scope: EventTarget, server: ModelServer): void {
  const life = newLock();
  /** The lock of every connection, and how to reach its tab. */
  const joined = new Map<string, MessagePort>();
  const waiting: Joined[] = [];
  let serve: ((one: Joined) => void) | undefined;

  function lose(why: string) {
    for (const [lost, tab] of joined) tab.postMessage({ lost, why } satisfies ToTab);
    joined.clear();
  }

  /** Where connections go from now on; undefined: they wait. */
  function serveBy(next: typeof serve, why: string) {
    if (serve) lose(why);
    serve = next;
    if (next) for (const one of waiting.splice(0)) next(one);
  }

  const ready = Promise.all([canCompute(), hold(life, forEver)]).then(([here]) => {
    if (here) serveBy(server.serve, '');
    return { life, needsLeader: !here };
  });

  function listen(tab: MessagePort) {
    tab.onmessage = ({ data }: MessageEvent<FromTab>) => {
      if ('failed' in data) return serveBy(undefined, data.failed);
      if ('leader' in data) {
        const pass = (one: Joined) => data.leader.postMessage(one, [one.port]);
        return serveBy(pass, 'the tab that ran the model was closed');
      }
      joined.set(data.lock, tab);
      void whenFree(data.lock).then(() => joined.delete(data.lock));
      if (serve) serve(data);
      else waiting.push(data);
    };
    void ready.then((hello: ToTab) => tab.postMessage(hello));
  }

  scope.addEventListener('connect', (event) => listen((event as MessageEvent).ports[0]));
  // A page ends its own worker after an error that nobody caught. A shared one cannot be ended for certain, so it starts afresh.
  scope.addEventListener('error', (event) => {
    server.forget();
    lose((event as ErrorEvent).message);
  });
}

/** Whether this worker has WebGPU, and not only the property of it. */
const canCompute = async (): Promise<boolean> =>
  !!(await globalThis.navigator.gpu?.requestAdapter().catch(() => undefined));
