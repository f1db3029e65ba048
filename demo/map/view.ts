import { element } from '../dom';
import { count, plural } from '../numbers';
import type { Cluster } from './clusters';
import { createFinder, type Fitted, fitPoints, type PointFinder, pointsIn, step, type Transform } from './geometry';
import { createGestures } from './gestures';
import { labelsOf } from './map-labels';
import { paint } from './paint';
import { onPaletteChange, readPalette } from './palette';
import type { Scene } from './scene';
import { createTip } from './tip';

/** Pixels around a point in which the pointer means it. */
const REACH = 24;
/** Pixels around all points. */
const MARGIN = 36;
const ZOOM = 1.6;
/** Milliseconds in which points move to another place. */
const MOVE = 350;

/** What is on the map. Lists have an entry for each point. */
export interface MapContent {
  /** [rows, 2] */
  points: Float32Array;
  texts: readonly string[];
  /** Which of the palette's colours each has. */
  colours: Uint8Array;
  clusters: readonly Cluster[];
}

export interface MapListeners {
  /** The user has selected other points. */
  selected(points: Set<number>): void;
  /** The points that are nearest in meaning, asked for when the pointer or the keyboard is at a point. */
  near(point: number): number[];
}

/** A map in the page. */
export interface MapView {
  /** Other texts: nothing is selected or found. */
  show(content: MapContent): void;
  /** The same texts elsewhere, or with other colours and names; they move there in `ms`. */
  change(content: Partial<Omit<MapContent, 'texts'>>, ms?: number): void;
  select(points: ReadonlySet<number>): void;
  /** Shows what a search found, best first. */
  light(hits: readonly number[]): void;
  /** Lets the points of one colour stand out; undefined: all alike. */
  emphasize(colour: number | undefined): void;
  setSelecting(on: boolean): void;
  zoomIn(): void;
  zoomOut(): void;
  fit(): void;
  /** What is shown now. */
  scene(): Scene;
}

/**
 * A map of texts on a canvas in `place`: drawn when something has changed, once per frame at most. One element has the focus for all points: arrow keys
 * go to the next one in their direction, and what it says is spoken.
 */
export function createMapView(place: HTMLElement, on: MapListeners): MapView {
  const canvas = element('canvas', { ariaHidden: 'true' });
  const surface = element('div', { className: 'map-surface', tabIndex: 0, role: 'application' }, canvas);
  const box = element('div', { className: 'map-box', hidden: true });
  const spoken = element('p', { className: 'visually-hidden', ariaLive: 'polite' });
  const frame = element('div', { className: 'map-frame' }, surface, box, spoken);
  place.append(frame);
  const tip = createTip(frame);
  const context = canvas.getContext('2d', { alpha: false })!;

  let content: MapContent = { points: new Float32Array(0), texts: [], colours: new Uint8Array(0), clusters: [] };
  let fitted: Fitted = fitPoints(content.points, 1, 1, 0);
  let finder: PointFinder | undefined;
  let moving: { from: Fitted; began: number; ms: number } | undefined;
  let transform: Transform = { k: 1, x: 0, y: 0 };
  let size = { width: 0, height: 0 };
  let palette = readPalette(frame);
  let selected: ReadonlySet<number> = new Set();
  let hits: readonly number[] = [];
  let emphasized: number | undefined;
  let pointed: number | undefined;
  let near: readonly number[] = [];
  let cursor = 0;
  let isAsked = false;
  const widths = new Map<string, number>();

  const draw = () => {
    if (isAsked) return;
    isAsked = true;
    requestAnimationFrame((now) => {
      isAsked = false;
      if (size.width === 0) return;
      paint(context, sceneAt(now), canvas.width / size.width);
      if (moving) draw();
    });
  };

  function measure(text: string, font: string): number {
    const known = widths.get(font + text);
    if (known !== undefined) return known;
    if (widths.size > 5000) widths.clear();
    context.font = font;
    const width = Math.ceil(context.measureText(text).width);
    widths.set(font + text, width);
    return width;
  }

  function placesAt(now: number): Fitted {
    if (!moving) return fitted;
    const share = Math.max(0, Math.min(1, (now - moving.began) / moving.ms));
    if (share >= 1) {
      moving = undefined;
      finder = createFinder(fitted);
      return fitted;
    }
    const eased = share * (2 - share);
    const { from } = moving;
    const between = (a: Float32Array, b: Float32Array) => a.map((value, i) => value + eased * (b[i] - value));
    return { ...fitted, x: between(from.x, fitted.x), y: between(from.y, fitted.y) };
  }

  function dimmedOf(): Uint8Array | undefined {
    if (hits.length > 0) {
      const found = new Set(hits);
      return content.colours.map((_, i) => (found.has(i) ? 0 : 1));
    }
    return emphasized === undefined ? undefined : content.colours.map((colour) => (colour === emphasized ? 0 : 1));
  }

  function sceneAt(now: number): Scene {
    const places = placesAt(now);
    const { texts, clusters, colours } = content;
    const labels = moving ? [] : labelsOf({ texts, clusters, hits }, places, size, transform, measure);
    const dimmed = dimmedOf();
    return { ...size, places, transform, palette, colours, dimmed, hits, selected, pointed, near, labels };
  }

  const shown = (i: number) => ({
    x: transform.k * fitted.x[i] + transform.x,
    y: transform.k * fitted.y[i] + transform.y,
  });

  function point(i: number | undefined) {
    if (i === pointed) return;
    pointed = i;
    near = i === undefined ? [] : on.near(i);
    surface.classList.toggle('at-point', i !== undefined);
    placeTip();
    draw();
  }

  function placeTip() {
    if (pointed === undefined) return tip.hide();
    const text = content.texts[pointed].replace(/\s+/g, ' ');
    tip.show(`${pointed + 1}  ${text.slice(0, 160)}${text.length > 160 ? '…' : ''}`, shown(pointed));
  }

  /** The point at a place of the screen. */
  const at = (p: { x: number; y: number }) =>
    finder?.find((p.x - transform.x) / transform.k, (p.y - transform.y) / transform.k, REACH / transform.k);

  function choose(points: number[], add: boolean) {
    const isOn = points.some((i) => !selected.has(i));
    const next = new Set(add ? selected : isOn || selected.size > points.length ? points : []);
    if (add) for (const i of points) isOn ? next.add(i) : next.delete(i);
    selected = next;
    draw();
    on.selected(next);
  }

  /** Goes to a point by key: moves the map if it is not in sight, and speaks. */
  function goTo(i: number) {
    cursor = i;
    const { x, y } = shown(i);
    if (x < 0 || y < 0 || x > size.width || y > size.height) gestures.centre(fitted.x[i], fitted.y[i]);
    point(i);
    const rank = hits.indexOf(i);
    const found = rank < 0 ? '' : `, found as number ${rank + 1}`;
    spoken.textContent = `${count(i + 1)} of ${count(content.texts.length)}${found}: ${content.texts[i].slice(0, 200)}`;
  }

  const gestures = createGestures(surface, {
    zoomed(next) {
      transform = next;
      surface.classList.toggle('zoomed', next.k > 1);
      placeTip();
      draw();
    },
    hovered: (p) => point(p && at(p)),
    clicked(p, add) {
      const i = at(p);
      if (i !== undefined) cursor = i;
      point(i);
      choose(i === undefined ? [] : [i], add);
    },
    drawing(drawn) {
      box.hidden = !drawn;
      if (!drawn) return;
      point(undefined);
      box.style.left = `${Math.min(drawn.x0, drawn.x1)}px`;
      box.style.top = `${Math.min(drawn.y0, drawn.y1)}px`;
      box.style.width = `${Math.abs(drawn.x1 - drawn.x0)}px`;
      box.style.height = `${Math.abs(drawn.y1 - drawn.y0)}px`;
    },
    boxed({ x0, y0, x1, y1 }, add) {
      const { k, x, y } = transform;
      choose(pointsIn(fitted, { x0: (x0 - x) / k, y0: (y0 - y) / k, x1: (x1 - x) / k, y1: (y1 - y) / k }), add);
    },
    unheard: () =>
      tip.hint(
        `Click the map first, or hold ${/Mac/.test(navigator.platform) ? '⌘' : 'Ctrl'}, to zoom with the wheel.`,
      ),
  });

  surface.addEventListener('focus', () => {
    if (content.texts.length > 0 && !surface.matches(':active')) goTo(hits[0] ?? cursor);
  });
  surface.addEventListener('blur', () => point(undefined));
  surface.addEventListener('keydown', (event) => {
    if (content.texts.length === 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    const { key } = event;
    if (key === 'Enter' || key === ' ') choose([cursor], event.shiftKey);
    else if (key === 'Escape') choose([], false);
    else if (key === '+' || key === '=') gestures.zoomBy(ZOOM);
    else if (key === '-') gestures.zoomBy(1 / ZOOM);
    else if (key === '0') gestures.reset();
    else if (key.startsWith('Arrow')) goTo(step(fitted, cursor, key) ?? cursor);
    else return;
    event.preventDefault();
  });

  function refit() {
    fitted = fitPoints(content.points, size.width, size.height, Math.min(MARGIN, size.width / 8));
    finder = moving ? undefined : createFinder(fitted);
  }

  new ResizeObserver(() => {
    const { clientWidth: width, clientHeight: height } = surface;
    if (width === 0 || (width === size.width && height === size.height)) return;
    size = { width, height };
    canvas.width = Math.round(width * devicePixelRatio);
    canvas.height = Math.round(height * devicePixelRatio);
    refit();
    gestures.resized(width, height);
    draw();
  }).observe(surface);
  onPaletteChange(() => {
    palette = readPalette(frame);
    draw();
  });

  return {
    show(next) {
      content = next;
      [moving, selected, hits, emphasized, cursor] = [undefined, new Set(), [], undefined, 0];
      surface.ariaLabel = `Map of ${plural(next.texts.length, 'text')}: the closer two points, the more alike the texts. Arrow keys go from point to point, Enter selects, plus and minus zoom, 0 shows all.`;
      point(undefined);
      refit();
      gestures.reset();
      draw();
    },
    change(next, ms = MOVE) {
      const before = placesAt(performance.now());
      content = { ...content, ...next };
      if (next.points) {
        const isStill = matchMedia('(prefers-reduced-motion: reduce)').matches;
        moving = isStill ? undefined : { from: before, began: performance.now(), ms };
        point(undefined);
        refit();
      }
      draw();
    },
    select(points) {
      selected = new Set(points);
      draw();
    },
    light(next) {
      hits = next;
      draw();
    },
    emphasize(colour) {
      emphasized = colour;
      draw();
    },
    setSelecting: (on) => {
      surface.classList.toggle('selecting', on);
      gestures.setSelecting(on);
    },
    zoomIn: () => gestures.zoomBy(ZOOM),
    zoomOut: () => gestures.zoomBy(1 / ZOOM),
    fit: () => gestures.reset(),
    scene: () => sceneAt(performance.now()),
  };
}
