/** For tests: Web Locks, which Node 20 lacks, in one process. */

interface Request {
  mode: 'exclusive' | 'shared';
  grant(): void;
}
interface Queue {
  held: Request[];
  waiting: Request[];
}

export function testLocks() {
  const queues = new Map<string, Queue>();
  const requested: string[] = [];

  function grantNext({ held, waiting }: Queue) {
    while (waiting.length > 0) {
      const [next] = waiting;
      if (held.length > 0 && (next.mode === 'exclusive' || held[0].mode === 'exclusive')) return;
      held.push(next);
      waiting.shift();
      next.grant();
    }
  }

  async function request(name: string, ...rest: unknown[]): Promise<unknown> {
    const run = rest.at(-1) as (lock: object) => unknown;
    const { mode = 'exclusive' } = (rest.length > 1 ? rest[0] : {}) as Partial<Request>;
    requested.push(name);
    if (!queues.has(name)) queues.set(name, { held: [], waiting: [] });
    const queue = queues.get(name)!;
    await new Promise<void>((grant) => {
      queue.waiting.push({ mode, grant });
      setTimeout(grantNext, 0, queue); // as in a browser, never at once
    });
    try {
      return await run({ name });
    } finally {
      free(name);
    }
  }

  /** As if whoever holds it had ended. */
  function free(name: string) {
    const queue = queues.get(name)!;
    queue.held.shift();
    grantNext(queue);
  }

  return {
    locks: { request } as unknown as LockManager,
    free,
    /** The names of all requests. */
    requested,
    held: () => [...queues].filter(([, { held }]) => held.length > 0).map(([name]) => name),
  };
}
