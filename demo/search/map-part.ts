import { find, messageOf } from '../dom';
import { createSelection } from '../map/selection';
import { createTextMap, MAP_LEAST, MAP_MOST, type MappedTexts } from '../map/text-map';
import { count } from '../numbers';
import type { TabState } from '../tab-state';
import type { Index } from './collections';
import { type IndexedPassage, readIndex } from './index-vectors';
import type { Hit } from './passages';

/** The map of the index, folded until it is asked for. */
export interface MapPart {
  /** The index that is searched, when it has changed; undefined while it has nothing. */
  indexChanged(index: Index | undefined): void;
  /** Lights up what a search found, best first. */
  light(hits: readonly Hit[]): void;
}

/** `open` shows a passage where it comes from. */
export function createMapPart(
  part: HTMLDetailsElement,
  state: TabState,
  open: (index: Index, passage: IndexedPassage) => void,
): MapPart {
  const note = find(part, '#map-facts');
  let index: Index | undefined;
  let hits: readonly Hit[] = [];
  /** What is on the map. */
  let drawn: { index: Index; size: string } | undefined;
  let passages: IndexedPassage[] = [];
  let points = new Map<string, number>();
  let texts: MappedTexts | undefined;
  let latest = 0;

  const map = createTextMap(find(part, '.text-map'), state, (selected) => texts && selection.show(texts, selected));
  const selection = createSelection(find(part, '#map-selection'), {
    onChoose(i) {
      map.select(new Set([i]));
      if (texts) selection.show(texts, new Set([i]));
    },
    titleOf: (i) => passages[i].metadata.place || passages[i].metadata.file,
    open: (i) => drawn && open(drawn.index, passages[i]),
  });

  const sizeOf = ({ size, passages }: Index) => `${size} ${passages}`;

  async function draw() {
    if (!part.open || !index || index.passages < MAP_LEAST) return;
    if (drawn?.index === index && drawn.size === sizeOf(index)) return;
    const run = ++latest;
    const shown = index;
    drawn = { index: shown, size: sizeOf(shown) };
    note.textContent = 'Drawing …';
    try {
      const read = await readIndex(await shown.export(), MAP_MOST);
      if (run !== latest) return;
      passages = read.passages;
      points = new Map(passages.map((passage, i) => [keyOf(passage), i]));
      texts = {
        vectors: read.vectors,
        texts: passages.map(({ text, passage }) => text.slice(passage.start, passage.end).trim()),
        groups: passages.map(({ metadata }) => metadata.file),
      };
      note.textContent =
        shown.passages > MAP_MOST ? `${count(MAP_MOST)} of ${count(shown.passages)} passages, evenly chosen.` : '';
      selection.show(texts, new Set());
      const drawing = map.show(texts);
      lightUp();
      await drawing;
    } catch (error) {
      if (run !== latest) return;
      drawn = undefined;
      note.textContent = `The map could not be drawn: ${messageOf(error)}`;
    }
  }

  const lightUp = () => map.light(hits.map((hit) => points.get(keyOf(hit))).filter((i) => i !== undefined));

  part.addEventListener('toggle', () => void draw());

  return {
    indexChanged(next) {
      index = next;
      part.hidden = !next || next.passages < MAP_LEAST;
      void draw();
    },
    light(next) {
      hits = next;
      lightUp();
    },
  };
}

/** One passage of an index. */
const keyOf = ({ id, passage }: Pick<Hit, 'id' | 'passage'>): string => `${passage?.start ?? 0} ${id}`;
