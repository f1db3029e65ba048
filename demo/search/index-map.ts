import { find, messageOf } from '../dom';
import { MAP_LEAST, MAP_MOST } from '../map/limits';
import { createSelection } from '../map/selection';
import { createTextMap, type MappedTexts } from '../map/text-map';
import { count } from '../numbers';
import type { TabState } from '../tab-state';
import type { Index } from './collections';
import { type IndexedPassage, readIndex } from './index-vectors';
import type { Hit } from './passages';

/** An index, and the model that made its vectors. */
export interface MadeIndex {
  index: Index;
  model: string;
}

/** The map of an index. */
export interface IndexMap {
  /** Draws the index, if other vectors are in it than those that are drawn, and lights up what a search found, best first. */
  show(made: MadeIndex, hits: readonly Hit[]): void;
  light(hits: readonly Hit[]): void;
}

/** What the vectors of an index depend on. It may be opened again, by another model too, and still have the same. */
interface Contents {
  model: string;
  passages: number;
  texts: string[];
}

const contentsOf = ({ index, model }: MadeIndex): Contents => ({
  model,
  passages: index.passages,
  texts: Array.from(index.documents(), ({ id, text }) => `${id} ${text}`),
});

const isSame = (a: Contents, b: Contents): boolean =>
  a.model === b.model &&
  a.passages === b.passages &&
  a.texts.length === b.texts.length &&
  a.texts.every((text, i) => text === b.texts[i]);

/** `open` shows a passage where it comes from. */
export function createIndexMap(part: HTMLElement, state: TabState, open: (passage: IndexedPassage) => void): IndexMap {
  const note = find(part, '#map-facts');
  /** What is on the map. */
  let drawn: Contents | undefined;
  let passages: IndexedPassage[] = [];
  let points = new Map<string, number>();
  let texts: MappedTexts | undefined;
  let hits: readonly Hit[] = [];

  const map = createTextMap(find(part, '.text-map'), state, (selected) => texts && selection.show(texts, selected));
  const selection = createSelection(find(part, '#map-selection'), {
    onChoose(i) {
      map.select(new Set([i]));
      if (texts) selection.show(texts, new Set([i]));
    },
    titleOf: (i) => passages[i].metadata.place || passages[i].metadata.file,
    open: (i) => open(passages[i]),
  });

  function showMap(isThere: boolean) {
    for (const name of ['.text-map', '#map-selection']) find(part, name).hidden = !isThere;
  }

  async function draw({ index, model }: MadeIndex, own: Contents) {
    drawn = own;
    try {
      const read = await readIndex(await index.export(), MAP_MOST);
      if (drawn !== own) return;
      passages = read.passages;
      points = new Map(passages.map((passage, i) => [keyOf(passage), i]));
      texts = {
        vectors: read.vectors,
        texts: passages.map(({ text, passage }) => text.slice(passage.start, passage.end).trim()),
        groups: passages.map(({ metadata }) => metadata.file),
        model,
      };
      const isPart = index.passages > MAP_MOST;
      showMap(true);
      note.textContent = isPart ? `${count(MAP_MOST)} of ${count(index.passages)} passages, evenly chosen.` : '';
      selection.show(texts, new Set());
      void map.show(texts);
      lightUp();
    } catch (error) {
      if (drawn !== own) return;
      drawn = undefined;
      note.textContent = `The map could not be drawn: ${messageOf(error)}`;
    }
  }

  const lightUp = () => map.light(hits.map((hit) => points.get(keyOf(hit))).filter((i) => i !== undefined));

  return {
    light(found) {
      hits = found;
      lightUp();
    },
    show(made, found) {
      hits = found;
      const contents = contentsOf(made);
      if (drawn && isSame(drawn, contents)) return lightUp();
      if (made.index.passages >= MAP_LEAST) return void draw(made, contents);
      showMap(false);
      drawn = undefined;
      note.textContent = `A map needs ${MAP_LEAST} passages.`;
    },
  };
}

/** One passage of an index. */
const keyOf = ({ id, passage }: Pick<Hit, 'id' | 'passage'>): string => `${passage?.start ?? 0} ${id}`;
