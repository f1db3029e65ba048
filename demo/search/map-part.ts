import { find, messageOf } from '../dom';
import type { TabState } from '../tab-state';
import type { IndexMap, MadeIndex } from './index-map';
import type { IndexedPassage } from './index-vectors';
import type { Hit } from './passages';

/** The map of what is searched, folded and not loaded until it is asked for. */
export interface MapPart {
  /** What is searched may be another index, or have changed; undefined while it has nothing. */
  indexChanged(made: MadeIndex | undefined): void;
  /** Lights up what a search found, best first. */
  light(hits: readonly Hit[]): void;
}

/** `open` shows a passage where it comes from. */
export function createMapPart(
  part: HTMLDetailsElement,
  state: TabState,
  open: (passage: IndexedPassage) => void,
): MapPart {
  let made: MadeIndex | undefined;
  let hits: readonly Hit[] = [];
  let map: Promise<IndexMap> | undefined;
  const problem = find(part, '#map-facts');

  /** `show`: what the map is to do once it is there, if somebody looks at it. */
  async function update(show: (map: IndexMap, made: MadeIndex) => void) {
    if (!part.open || !made) return;
    map ??= import('./index-map').then(({ createIndexMap }) => createIndexMap(part, state, open));
    const loaded = await map.catch((error) => {
      problem.textContent = `The map could not be drawn: ${messageOf(error)}`;
      return undefined;
    });
    if (!loaded)
      map = undefined; // opening it again tries again
    else if (made) show(loaded, made);
  }
  const showAll = () => void update((map, made) => map.show(made, hits));

  part.addEventListener('toggle', showAll);
  return {
    indexChanged(next) {
      made = next;
      part.hidden = !next;
      showAll();
    },
    light(next) {
      hits = next;
      void update((map) => map.light(hits));
    },
  };
}
