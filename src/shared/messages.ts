/** What tabs and the worker that they share say to each other, and the locks by which each notices the end of the other. */

/** A connection, as the worker sees it: its end, and the name of a lock that the tab holds until it closes the connection or is closed itself. */
export interface Joined {
  lock: string;
  port: MessagePort;
}

/** A tab's messages: a new connection; that it leads, and connections go to this port; or that its leading worker has failed. */
export type FromTab = Joined | { leader: MessagePort } | { failed: string };

/**
 * The shared worker's messages: to a new tab, the lock that it holds while it lives, and whether one of the tabs has to compute; or that a
 * connection has lost its model.
 */
export type ToTab = { life: string; needsLeader: boolean } | { lost: string; why: string };

/** The lock that the leader of the tabs holds. */
export const leaderLock = (life: string): string => `${life} leader`;

export const newLock = (): string => `modernbert-webgpu ${crypto.randomUUID()}`;

/** Holds a lock until `end`. Resolves once it is held. */
export const hold = (lock: string, end: Promise<void>): Promise<void> =>
  new Promise((resolve, reject) => {
    const held = () => {
      resolve();
      return end;
    };
    navigator.locks.request(lock, held).catch(reject);
  });

/** Resolves when nobody holds the lock any more. */
export const whenFree = (lock: string): Promise<void> => navigator.locks.request(lock, { mode: 'shared' }, () => {});
