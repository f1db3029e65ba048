import { proxy } from 'comlink';
import type { App } from '../app';
import { element, find, isAbort } from '../dom';
import { percent, plural } from '../numbers';
import '../switch.css';
import { callWorker } from '../worker-call';
import './map.css';
import { startCalculator } from './calculator';
import { neighbours } from './geometry';
import type { TextMap } from './map';
import type { Projection } from './projection';
import type { Result } from './result';
import type { Calculator } from './worker';

/** Fewer texts have too few neighbours for UMAP to say anything. */
const UMAP_LEAST = 8;
/** Fewer points are no map. */
const LEAST = 3;
const NEIGHBOURS = 5;
/** Selected texts that are listed. */
const LISTED = 50;

/** The map of a result, how it is made, and what is selected in it. */
export function createMapPart(part: HTMLElement, state: App['state']): { show(result: Result): Promise<void> } {
  const place = find(part, '#map');
  const note = find(part, '#map-note');
  const selection = find(part, '#selection');
  const radios = [...part.querySelectorAll<HTMLInputElement>('input[name=method]')];
  const [, umapRadio] = radios;
  let result: Result | undefined;
  let map: TextMap | undefined;
  let controller = new AbortController();

  const method = () => (umapRadio.checked && !umapRadio.disabled ? 'umap' : 'pca');
  umapRadio.checked = state.get('map') === 'umap';

  for (const radio of radios) {
    radio.addEventListener('change', () => {
      state.set('map', method() === 'umap' ? 'umap' : undefined);
      void draw();
    });
  }
  // Redrawn when the width changes, but not for every pixel.
  let width = 0;
  new ResizeObserver(() => {
    if (map && Math.abs(place.clientWidth - width) > 40) void draw();
  }).observe(part);

  async function draw() {
    controller.abort();
    controller = new AbortController();
    const { signal } = controller;
    const shown = result;
    if (!shown) return;
    const { data, rows, dim } = shown.embeddings;
    const way = method();
    let isDone = false; // progress has a channel of its own and may come late
    note.textContent = 'Drawing …';
    try {
      const [{ drawMap }, { points, variance }] = await Promise.all([
        import('./map'),
        callWorker<Calculator, Projection>(startCalculator, signal, (calculator) =>
          calculator.project(
            way,
            data,
            rows,
            dim,
            proxy((share: number) => {
              if (!isDone && !signal.aborted) note.textContent = `Drawing: ${percent(share, 0)}`;
            }),
          ),
        ),
      ]);
      if (signal.aborted) return;
      isDone = true;
      width = place.clientWidth;
      const texts = shown.items.map(({ text }) => text);
      const groups = shown.items.map(({ group }) => group);
      map = drawMap(place, points, { texts, groups }, (selected) => showSelection(shown, selected));
      note.textContent = noteOf(way, rows, variance);
      showSelection(shown, new Set());
    } catch (error) {
      if (!isAbort(error)) note.textContent = `The map could not be drawn: ${(error as Error).message}`;
    }
  }

  function select(shown: Result, indices: number[]) {
    map?.select(new Set(indices));
    showSelection(shown, new Set(indices));
  }

  function showSelection(shown: Result, selected: Set<number>) {
    const { items, all, embeddings } = shown;
    const line = (i: number, cosine?: number) => {
      const button = element('button', { type: 'button', className: 'selection-text' }, items[i].text.slice(0, 300));
      button.addEventListener('click', () => select(shown, [i]));
      const score = cosine === undefined ? '' : element('span', { className: 'count' }, cosine.toFixed(2));
      return element('li', {}, element('span', { className: 'number' }, `${i + 1}`), button, score);
    };
    if (selected.size === 0) {
      const hint = 'Select a point to see its nearest texts; drag to select several.';
      return selection.replaceChildren(element('p', { className: 'count' }, hint));
    }
    if (selected.size === 1) {
      const [i] = selected;
      const near = neighbours(all, embeddings.rows, i, NEIGHBOURS).map(({ j, cosine }) => line(j, cosine));
      return selection.replaceChildren(
        element('p', {}, `${i + 1} · `, element('span', { className: 'selection-text' }, items[i].text.slice(0, 600))),
        element('h4', {}, 'Nearest texts, by cosine'),
        element('ul', { className: 'lines' }, ...near),
      );
    }
    const listed = [...selected].sort((a, b) => a - b).slice(0, LISTED);
    const rest = selected.size > LISTED ? ` The first ${LISTED} are listed.` : '';
    selection.replaceChildren(
      element('h4', {}, `${plural(selected.size, 'text')} selected.${rest}`),
      element('ul', { className: 'lines' }, ...listed.map((i) => line(i))),
    );
  }

  return {
    async show(shown) {
      result = shown;
      const { rows } = shown.embeddings;
      part.hidden = rows < LEAST;
      umapRadio.disabled = rows < UMAP_LEAST;
      if (!part.hidden) await draw();
    },
  };
}

function noteOf(way: 'pca' | 'umap', rows: number, variance: number[] = []): string {
  if (way === 'umap') return 'Neighbours stay neighbours; distances far apart mean little.';
  const shown = variance.reduce((sum, share) => sum + share, 0);
  const share = Number.isFinite(shown) ? `The two directions with the most variance, ${percent(shown, 0)} of it.` : '';
  return rows < UMAP_LEAST ? `${share} UMAP needs ${UMAP_LEAST} texts.` : share;
}
