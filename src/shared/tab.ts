/** A tab's side: its connections to the models that it shares with others. */
import { type FromTab, hold, leaderLock, newLock, type ToTab, whenFree } from './messages';

/**
 * Where a shared model runs: in the shared worker; or, where that has no WebGPU, in a worker of this tab, which leads, or of another, which it
 * follows. Undefined: it is not shared.
 */
export type SharedBy = 'worker' | 'leader' | 'follower' | undefined;

interface Workers {
  startSharedWorker(): SharedWorker;
  startLeader(): Worker;
}

/** Connects to the shared worker at the first `join`, and again at the first after its end. */
export function createTab(workers: Workers) {
  let link: Link | undefined;
  let sharedBy: SharedBy;
  return {
    /** A connection of its own for one model: what the client takes for a worker. */
    join(): Worker {
      link ??= openLink(
        workers,
        (by) => {
          sharedBy = by;
        },
        () => {
          link = undefined;
        },
      );
      return link.join();
    },
    sharedBy: () => sharedBy,
  };
}

type Link = ReturnType<typeof openLink>;

function openLink(workers: Workers, nowSharedBy: (by: SharedBy) => void, ended: () => void) {
  /** What to do if a connection loses its model, by the connection's lock. */
  const connections = new Map<string, (why: string) => void>();
  let life: string | undefined;
  let needsLeader = false;
  let standsForLeader = false;
  let stopLeading = () => {};

  const worker = workers.startSharedWorker();
  const { port } = worker;
  worker.addEventListener('error', () =>
    end("its script could not be loaded; serve shared-worker.js beside the library's other files"),
  );
  port.onmessage = ({ data }: MessageEvent<ToTab>) => {
    if ('lost' in data) return connections.get(data.lost)?.(data.why);
    ({ life, needsLeader } = data);
    nowSharedBy(needsLeader ? 'follower' : 'worker');
    if (needsLeader) standForLeader();
    void whenFree(life).then(() => end('the browser ended it'));
  };

  function end(why: string) {
    ended();
    needsLeader = false;
    stopLeading();
    for (const lost of [...connections.values()]) lost(why);
  }

  /** Waits until no other tab leads, then starts a worker for all of them. A tab that has no model does not lead. */
  function standForLeader() {
    if (!life || !needsLeader || standsForLeader || connections.size === 0) return;
    standsForLeader = true;
    const led = navigator.locks.request(leaderLock(life), () => needsLeader && connections.size > 0 && lead());
    void led.then(() => {
      standsForLeader = false;
      standForLeader();
    });
  }

  /** Resolves when this tab leads no more. */
  function lead(): Promise<void> {
    const leader = workers.startLeader();
    const { port1, port2 } = new MessageChannel();
    leader.postMessage(port1, [port1]);
    port.postMessage({ leader: port2 } satisfies FromTab, [port2]);
    nowSharedBy('leader');
    return new Promise((resolve) => {
      stopLeading = () => {
        leader.terminate();
        resolve();
      };
      leader.addEventListener('error', ({ message }) => {
        stopLeading();
        port.postMessage({ failed: message ?? 'its script could not be loaded' } satisfies FromTab);
      });
    });
  }

  return {
    join(): Worker {
      const lock = newLock();
      const { port1, port2 } = new MessageChannel();
      let letGo = () => {};
      const left = new Promise<void>((resolve) => {
        letGo = resolve;
      });
      const lost = (message: string) =>
        port1.dispatchEvent(Object.assign(new Event('error'), { message, filename: 'shared-worker.js', lineno: 0 }));
      connections.set(lock, lost);
      hold(lock, left).then(
        () => port.postMessage({ lock, port: port2 } satisfies FromTab, [port2]),
        (error: Error) => lost(error.message),
      );
      standForLeader();
      const terminate = () => {
        connections.delete(lock);
        letGo();
        port1.close();
      };
      return Object.assign(port1, { terminate, onerror: null }) as unknown as Worker;
    },
  };
}
