/** Tabs, the worker that they share and the worker of a leader, in one process: message channels stand for all that lies between them. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WorkerError } from '../api/errors';
import type { LoadOptions, Model, ModelSource } from '../api/types';
import { loadModel } from '../session/client';
import { echoModel } from '../session/worker-double';
import type { Joined } from './messages';
import { modelServer } from './serve';
import { createTab } from './tab';
import { acceptTabs } from './tabs';
import { testLocks } from './test-locks';

let ports: MessagePort[] = [];
function channel() {
  const { port1, port2 } = new MessageChannel();
  ports.push(port1, port2);
  return [port1, port2] as const;
}

/** A browser with tabs. `gpu`: whether its shared workers have WebGPU. */
function browser(gpu: boolean) {
  const { locks, free, held, requested } = testLocks();
  vi.stubGlobal('navigator', { locks, gpu: { requestAdapter: async () => (gpu ? {} : null) } });
  const loads: { source: ModelSource; options: LoadOptions; model: Model; seen: unknown[][]; by: string }[] = [];
  const changes: Partial<Model> = {};
  const server = (by: string) =>
    modelServer(async (source, options) => {
      const { model, seen } = echoModel(changes);
      loads.push({ source, options, model, seen, by });
      return model;
    });

  let shared: EventTarget | undefined;
  let life = '';
  const leaders: Worker[] = [];
  let scriptFails = false;
  let leadersFail = false;

  /** What a tab of `name` has of a browser. */
  function openTab(name: string) {
    const tab = createTab({
      startSharedWorker() {
        const worker = new EventTarget();
        const [port, other] = channel();
        setTimeout(() => {
          if (scriptFails) return worker.dispatchEvent(new Event('error'));
          if (!shared) {
            shared = new EventTarget();
            const before = requested.length;
            acceptTabs(shared, server('worker'));
            life = requested[before];
          }
          shared.dispatchEvent(Object.assign(new Event('connect'), { ports: [other] }));
        });
        return Object.assign(worker, { port }) as unknown as SharedWorker;
      },
      startLeader() {
        const own = server(name);
        const worker = new EventTarget() as Worker;
        leaders.push(worker);
        worker.postMessage = (port: unknown) => {
          ports.push(port as MessagePort);
          if (leadersFail) return setTimeout(() => worker.dispatchEvent(new Event('error')));
          (port as MessagePort).onmessage = ({ data }: MessageEvent<Joined>) => own.serve(data);
        };
        worker.terminate = vi.fn();
        return worker;
      },
    });
    const own: string[] = [];
    const join = () => {
      const before = requested.length;
      const worker = tab.join();
      own.push(requested[before]);
      return worker;
    };
    return {
      sharedBy: tab.sharedBy,
      load: (options: LoadOptions = {}, source = 'org/a') => loadModel(source, { ...options, worker: join }),
      close() {
        if (tab.sharedBy() === 'leader') own.push(...held().filter((lock) => lock.endsWith('leader')));
        for (const lock of own) free(lock);
      },
    };
  }

  return {
    openTab,
    loads,
    changes,
    leaders,
    held,
    shared: () => shared!,
    /** As the browser may. */
    endSharedWorker() {
      shared = undefined;
      free(life);
    },
    failScript: () => {
      scriptFails = true;
    },
    failLeaders: () => {
      leadersFail = true;
    },
  };
}

const again = (async (text: string) => ['again', text]) as unknown as Model['classify'];

beforeEach(() => vi.stubGlobal('location', { href: 'https://example.org/app/index.html' }));
afterEach(() => {
  for (const port of ports) port.close();
  ports = [];
  vi.unstubAllGlobals();
});

describe('a shared worker with WebGPU', () => {
  it('has one model for the tabs that ask for the same, and answers all of them', async () => {
    const { openTab, loads } = browser(true);
    const tabs = [openTab('a'), openTab('b'), openTab('c')];
    const [a, b, c] = await Promise.all([tabs[0].load(), tabs[1].load(), tabs[2].load({ dtype: 'q8' })]);
    expect(loads.map(({ options }) => options.dtype)).toEqual([undefined, 'q8']);
    expect(await Promise.all([a.classify('x'), b.classify('y'), c.classify('z')])).toEqual([
      ['classify', 'x'],
      ['classify', 'y'],
      ['classify', 'z'],
    ]);
    expect(loads.map(({ seen }) => seen.length)).toEqual([2, 1]);
    expect(tabs.map(({ sharedBy }) => sharedBy())).toEqual(['worker', 'worker', 'worker']);
  });

  it('keeps a model until the last tab disposes of it, and one that disposed has none', async () => {
    const { openTab, loads, held } = browser(true);
    const a = await openTab('a').load();
    const b = await openTab('b').load();
    const [{ model }] = loads;
    await a.dispose();
    await expect(a.classify('x')).rejects.toMatchObject({ name: 'AbortError' });
    expect(await b.classify('y')).toEqual(['classify', 'y']);
    expect(model.dispose).not.toHaveBeenCalled();
    await b.dispose();
    expect(model.dispose).toHaveBeenCalledOnce();
    await vi.waitFor(() => expect(held()).toHaveLength(1)); // the worker's own
  });

  it('notices that tabs were closed: their calls are aborted, and the last takes the model with it', async () => {
    const { openTab, loads } = browser(true);
    const [first, second] = [openTab('a'), openTab('b')];
    const a = await first.load();
    a.classify('wait', {}).catch(() => {});
    await vi.waitFor(() => expect(loads[0].seen).toHaveLength(1));
    const { signal } = loads[0].seen[0][2] as { signal: AbortSignal };
    first.close();
    await vi.waitFor(() => expect(signal.aborted).toBe(true));
    await vi.waitFor(() => expect(loads[0].model.dispose).toHaveBeenCalledOnce());
    await second.load();
    expect(loads).toHaveLength(2);
  });

  it('after an error that nobody caught gives every tab another model, and repeats what was under way', async () => {
    const { openTab, loads, changes, shared } = browser(true);
    const [a, b] = [await openTab('a').load(), await openTab('b').load()];
    const waiting = [a.classify('wait 1'), b.classify('wait 2')];
    await vi.waitFor(() => expect(loads[0].seen).toHaveLength(2));
    changes.classify = again;
    shared().dispatchEvent(Object.assign(new Event('error'), { message: 'Uncaught Error: x' }));
    expect(await Promise.all(waiting)).toEqual([
      ['again', 'wait 1'],
      ['again', 'wait 2'],
    ]);
    expect(loads).toHaveLength(2);
    await vi.waitFor(() => expect(loads[0].model.dispose).toHaveBeenCalledOnce());
  });

  it('that the browser ends is started again', async () => {
    const { openTab, loads, changes, endSharedWorker } = browser(true);
    const [a, b] = [await openTab('a').load(), await openTab('b').load()];
    const waiting = a.classify('wait');
    await vi.waitFor(() => expect(loads[0].seen).toHaveLength(1));
    changes.classify = again;
    endSharedWorker();
    expect(await waiting).toEqual(['again', 'wait']);
    expect(await b.classify('x')).toEqual(['again', 'x']);
    expect(loads).toHaveLength(2);
  });

  it('rejects with a WorkerError if the model is not to recover, or if its script cannot be loaded', async () => {
    const { openTab, shared, failScript } = browser(true);
    const a = await openTab('a').load({ recover: false });
    shared().dispatchEvent(Object.assign(new Event('error'), { message: 'Uncaught Error: x' }));
    await expect(a.classify('x')).rejects.toThrow(
      new WorkerError('The worker failed: Uncaught Error: x (shared-worker.js:0).'),
    );
    failScript();
    await expect(openTab('b').load()).rejects.toThrow(/^The worker failed: its script could not be loaded/);
  });
});

describe('a shared worker without WebGPU', () => {
  it('has the first tab compute for all', async () => {
    const { openTab, loads, leaders } = browser(false);
    const tabs = [openTab('a'), openTab('b')];
    const a = await tabs[0].load();
    const b = await tabs[1].load();
    expect(await Promise.all([a.classify('x'), b.classify('y')])).toEqual([
      ['classify', 'x'],
      ['classify', 'y'],
    ]);
    expect(loads.map(({ by }) => by)).toEqual(['a']);
    expect(leaders).toHaveLength(1);
    expect(tabs.map(({ sharedBy }) => sharedBy())).toEqual(['leader', 'follower']);
    await a.dispose();
    expect(await b.classify('z')).toEqual(['classify', 'z']);
  });

  it('lets the next tab lead when the first is closed, and repeats the calls under way', async () => {
    const { openTab, loads, changes } = browser(false);
    const first = openTab('a');
    await first.load();
    const second = openTab('b');
    const b = await second.load();
    const waiting = b.classify('wait');
    await vi.waitFor(() => expect(loads[0].seen).toHaveLength(1));
    changes.classify = again;
    first.close();
    expect(await waiting).toEqual(['again', 'wait']);
    expect(loads.map(({ by }) => by)).toEqual(['a', 'b']);
    expect(second.sharedBy()).toBe('leader');
  });

  it('after a crash of the leading tab’s worker goes on with another', async () => {
    const { openTab, loads, changes, leaders } = browser(false);
    const a = await openTab('a').load();
    const waiting = a.classify('wait');
    await vi.waitFor(() => expect(loads[0].seen).toHaveLength(1));
    changes.classify = again;
    leaders[0].dispatchEvent(Object.assign(new Event('error'), { message: 'out of memory' }));
    expect(await waiting).toEqual(['again', 'wait']);
    expect(leaders).toHaveLength(2);
    expect(leaders[0].terminate).toHaveBeenCalled();
  });

  it('gives up on a leader whose script cannot be loaded', async () => {
    const { openTab, leaders, failLeaders } = browser(false);
    failLeaders();
    await expect(openTab('a').load()).rejects.toThrow(
      'The worker failed: its script could not be loaded (shared-worker.js:0).',
    );
    // The tab may lead once more before it hears that its call was given up.
    expect(leaders.length).toBeGreaterThanOrEqual(2);
    expect(leaders.length).toBeLessThanOrEqual(3);
  });
});
