import type { App } from '../app';
import { find } from '../dom';
import { MAP_LEAST } from '../map/limits';
import { createSelection } from '../map/selection';
import { createTextMap, type MappedTexts, type TextMap } from '../map/text-map';
import type { Result } from './result';

/** The map of a result, and what is selected in it. */
export function createMapPart(
  part: HTMLElement,
  state: App['state'],
): Pick<TextMap, 'mapPng' | 'mapSvg'> & { show(result: Result): Promise<void> } {
  let shown: MappedTexts | undefined;
  const map = createTextMap(find(part, '#map'), state, (selected) => showSelection(selected));
  const selection = createSelection(find(part, '#selection'), {
    onChoose(i) {
      map.select(new Set([i]));
      showSelection(new Set([i]));
    },
  });
  const showSelection = (selected: Set<number>) => shown && selection.show(shown, selected);

  return {
    async show({ choice, items, embeddings: { data, rows, dim } }) {
      shown = {
        vectors: { data, rows, dim }, // what a worker can be given
        texts: items.map(({ text }) => text),
        groups: items.map(({ group }) => group),
        model: choice.name,
      };
      part.hidden = rows < MAP_LEAST;
      showSelection(new Set());
      if (!part.hidden) await map.show(shown);
    },
    mapPng: map.mapPng,
    mapSvg: map.mapSvg,
  };
}
