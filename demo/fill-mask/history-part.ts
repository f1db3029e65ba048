import { loadWhenOpened } from '../dom';
import type { TabState } from '../tab-state';
import { type Entry, parseEntries, withEntry } from './history';

/**
 * Keeps texts that gave results, and shows them in `place` once that is opened. `restore` brings one back. Gives back what records a
 * text.
 */
export function startHistory(
  place: HTMLDetailsElement,
  state: TabState,
  restore: (entry: Entry) => void,
): (entry: Omit<Entry, 'time'>) => void {
  const entries = () => parseEntries(state.get('history'));
  const keep = (kept: Entry[]) => state.keep('history', kept.length > 0 ? JSON.stringify(kept) : undefined);
  let show: (() => void) | undefined;
  loadWhenOpened(place, async () => {
    const { createHistoryView } = await import('./history-view');
    show = createHistoryView(place, { entries, restore, keep });
  });
  return (entry) => {
    keep(withEntry(entries(), { ...entry, time: Date.now() }));
    show?.();
  };
}
