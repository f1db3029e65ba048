import { proxy } from 'comlink';
import { element, isAbort, messageOf } from '../dom';
import { count, percent } from '../numbers';
import '../switch.css';
import { createProgress } from '../progress-view';
import type { TabState } from '../tab-state';
import { callWorker } from '../worker-call';
import { NAMED_LEAST, type NamedClusters } from './clusters';
import { COLOURS, type Groups, groupsOf } from './groups';
import { createLegend } from './legend';
import { MAP_MOST } from './limits';
import './map.css';
import { pngOf } from './picture';
import type { Projection } from './projection';
import { startMapWorker } from './start-worker';
import { svgOf } from './svg';
import { nearestRows, type Vectors } from './vectors';
import { createMapView } from './view';
import type { MapWorker } from './worker';

/** Fewer texts have too few neighbours for UMAP to say anything. */
const UMAP_LEAST = 8;
/** Points that lines lead to. */
const NEIGHBOURS = 5;
/** Milliseconds in which points go on while UMAP moves them. */
const STEP = 120;

/** What a map shows: vectors, the model that made them and, for each, its text and where it comes from. */
export interface MappedTexts {
  vectors: Vectors;
  texts: string[];
  groups: string[];
  model: string;
}

type Method = 'pca' | 'umap';

/** A map of texts with all that belongs to it. */
export interface TextMap {
  /** Draws other texts, by PCA at once. Resolves when the map is as it was asked for; errors are shown. */
  show(texts: MappedTexts): Promise<void>;
  select(points: ReadonlySet<number>): void;
  /** Shows what a search found, best first. */
  light(hits: readonly number[]): void;
  /** The map as it is seen now, with its legend. Before `show` an empty one. */
  mapPng(): Promise<Blob>;
  mapSvg(): Blob;
}

/** Builds a map in `place`: how it is made, which is in `state`, zoom, the points and the legend. `onSelect` hears what the user selects. */
export function createTextMap(place: HTMLElement, state: TabState, onSelect: (points: Set<number>) => void): TextMap {
  const { bar, radios, selecting, zoomIn, zoomOut, all } = createBar();
  const [, umapRadio] = radios;
  const note = element('p', { className: 'count map-note', role: 'status' });
  place.append(bar);
  const view = createMapView(place, {
    // Until a new map is there, the points are those of the texts before.
    selected: (points) => !isOld && onSelect(points),
    near: (i) => (texts && !isOld ? nearestRows(texts.vectors, i, NEIGHBOURS).map(({ j }) => j) : []),
  });
  const legend = createLegend(view.emphasize);
  const below = element('div', { className: 'map-below' });
  place.append(legend.list, below);
  const progress = createProgress(below, stayWithPca);
  below.append(note);

  let texts: MappedTexts | undefined;
  let groups: Groups = { names: [], of: new Uint8Array(0) };
  let hits: readonly number[] = [];
  /** Whether the map still shows the texts before. */
  let isOld = true;
  let done = new Map<Method, { projection: Projection; named?: NamedClusters }>();
  let controller = new AbortController();

  const method = (): Method => (umapRadio.checked ? 'umap' : 'pca');
  const isGrouped = () => groups.names.length > 1;
  const showMethod = () => {
    radios[state.get('map') === 'umap' && !umapRadio.disabled ? 1 : 0].checked = true;
  };
  showMethod();
  state.onChange(() => {
    const before = method();
    showMethod();
    if (method() !== before) void draw();
  });
  for (const radio of radios) {
    radio.addEventListener('change', () => {
      state.set('map', method() === 'umap' ? 'umap' : undefined);
      void draw();
    });
  }
  function stayWithPca() {
    radios[0].checked = true;
    radios[0].focus();
    state.set('map', undefined);
    void draw();
  }
  selecting.addEventListener('click', () => {
    selecting.ariaPressed = String(selecting.ariaPressed !== 'true');
    view.setSelecting(selecting.ariaPressed === 'true');
  });
  zoomIn.addEventListener('click', view.zoomIn);
  zoomOut.addEventListener('click', view.zoomOut);
  all.addEventListener('click', view.fit);

  /** How far UMAP is, in the place of what the map shows. */
  function say(share: number | undefined) {
    note.hidden = share !== undefined;
    if (share === undefined) progress.hide();
    else progress.show({ what: 'UMAP', done: share, total: 1 });
  }

  async function draw() {
    controller.abort();
    controller = new AbortController();
    const { signal } = controller;
    if (!texts) return;
    const shown = texts;
    note.textContent = 'Drawing …';
    say(undefined);
    try {
      const way = method();
      if (isOld || way === 'pca') await drawAs('pca', shown, signal);
      if (way === 'umap') await drawAs('umap', shown, signal);
    } catch (error) {
      if (!isAbort(error)) note.textContent = `The map could not be drawn: ${messageOf(error)}`;
    } finally {
      if (!signal.aborted) say(undefined);
    }
  }

  async function drawAs(way: Method, shown: MappedTexts, signal: AbortSignal) {
    const call = <T>(run: Parameters<typeof callWorker<MapWorker, T>>[2]) => callWorker(startMapWorker, signal, run);
    let made = done.get(way);
    if (!made) {
      const { vectors } = shown;
      made = {
        projection: await (way === 'pca'
          ? call<Projection>((worker) => worker.pca(vectors))
          : call<Projection>((worker) => worker.umap(vectors, proxy(onProgress(signal))))),
      };
      signal.throwIfAborted();
      done.set(way, made);
    }
    const { points, variance } = made.projection;
    if (isOld) {
      groups = groupsOf(shown.groups);
      legend.show(groups.names);
      view.show({ points, texts: shown.texts, clusters: [], colours: groups.of });
      view.light(hits);
      isOld = false;
    } else view.change({ points, clusters: [] });
    note.textContent = `${noteOf(way, shown.texts.length, variance)} Vectors by ${shown.model}.`.trim();
    say(undefined);
    if (shown.texts.length < NAMED_LEAST) return;
    made.named ??= await call<NamedClusters>((worker) => worker.clusters(points, shown.texts));
    signal.throwIfAborted();
    const { of, clusters } = made.named;
    view.change({ clusters, ...(!isGrouped() && { colours: Uint8Array.from(of, (cluster) => cluster % COLOURS) }) });
  }

  const onProgress = (signal: AbortSignal) => (share: number, points?: Float32Array) => {
    if (signal.aborted || done.has('umap')) return; // it has a channel of its own and may come late
    say(share);
    const isStill = matchMedia('(prefers-reduced-motion: reduce)').matches;
    if (points && !isStill) view.change({ points, clusters: [] }, STEP);
  };

  const names = () => (isGrouped() ? groups.names : []);
  return {
    async show(next) {
      if (next.texts.length > MAP_MOST)
        throw new RangeError(`A map of ${next.texts.length} texts has too many points.`);
      texts = next;
      done = new Map();
      hits = [];
      isOld = true;
      umapRadio.disabled = next.texts.length < UMAP_LEAST;
      showMethod();
      await draw();
    },
    select: view.select,
    light(next) {
      hits = next;
      if (!isOld) view.light(next);
    },
    mapPng: () => pngOf(view.scene(), names()),
    mapSvg: () => new Blob([svgOf(view.scene(), names())], { type: 'image/svg+xml' }),
  };
}

let maps = 0;

/** How the map is made, and what the pointer does with it. */
function createBar() {
  maps++;
  const radio = (value: Method, words: string) => {
    const input = element('input', { type: 'radio', name: `map-${maps}`, value, checked: value === 'pca' });
    return { input, label: element('label', {}, input, ' ', element('span', {}, words)) };
  };
  const ways = [radio('pca', 'PCA'), radio('umap', 'UMAP')];
  const legend = element('legend', { className: 'visually-hidden' }, 'How the map is made');
  const button = (text: string, name: string, title: string) =>
    element('button', { type: 'button', className: `map-${name}`, ariaLabel: title, title }, text);
  const selecting = button('Select', 'select', 'Select by dragging');
  selecting.ariaPressed = 'false';
  const [zoomOut, zoomIn, all] = [
    button('−', 'zoom-out', 'Zoom out'),
    button('+', 'zoom-in', 'Zoom in'),
    button('Fit', 'fit', 'Show all of the map'),
  ];
  const tools = element('div', { className: 'map-tools' }, selecting, zoomOut, zoomIn, all);
  const choice = element('fieldset', { className: 'switch' }, legend, ...ways.map(({ label }) => label));
  return {
    bar: element('div', { className: 'map-bar' }, choice, tools),
    radios: ways.map(({ input }) => input),
    selecting,
    zoomIn,
    zoomOut,
    all,
  };
}

function noteOf(way: Method, rows: number, variance: number[] = []): string {
  if (way === 'umap') return 'Neighbours stay neighbours; distances far apart mean little.';
  const shown = variance.reduce((sum, share) => sum + share, 0);
  const share = Number.isFinite(shown) ? `The two directions with the most variance, ${percent(shown, 0)} of it.` : '';
  return rows < UMAP_LEAST ? `${share} UMAP needs ${count(UMAP_LEAST)} texts.` : share;
}
