import { find, messageOf } from '../dom';
import type { TabState } from '../tab-state';
import type { Index } from './collections';
import type { IndexMap } from './index-map';
import type { IndexedPassage } from './index-vectors';
import type { Hit } from './passages';

/** The map of what is searched, folded and not loaded until it is asked for. */
export interface MapPart {
  /** Another index is searched, or it has changed; undefined while it has nothing. */
  indexChanged(index: Index | undefined): void;
  /** Lights up what a search found, best first. */
  light(hits: readonly Hit[]): void;
}

/** `open` shows a passage where it comes from. */
export function createMapPart(
  part: HTMLDetailsElement,
  state: TabState,
  open: (passage: IndexedPassage) => void,
): MapPart {
  let index: Index | undefined;
  let hits: readonly Hit[] = [];
  let map: Promise<IndexMap> | undefined;
  const problem = find(part, '#map-facts');

  async function update() {
    if (!part.open || !index) return;
    map ??= import('./index-map').then(({ createIndexMap }) => createIndexMap(part, state, open));
    const loaded = await map.catch((error) => {
      problem.textContent = `The map could not be drawn: ${messageOf(error)}`;
      return undefined;
    });
    if (!loaded)
      map = undefined; // opening it again tries again
    else if (index) loaded.show(index, hits);
  }

  part.addEventListener('toggle', () => void update());
  return {
    indexChanged(next) {
      index = next;
      part.hidden = !next;
      void update();
    },
    light(next) {
      hits = next;
      void update();
    },
  };
}
