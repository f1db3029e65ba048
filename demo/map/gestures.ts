import { select } from 'd3-selection';
import { type D3ZoomEvent, zoom, zoomIdentity, zoomTransform } from 'd3-zoom';
import type { Box, Transform } from './geometry';

/** Shorter drags are clicks. */
const DRAG = 6;
/** The map at its largest. */
const MOST = 40;
/** How far the map can be moved beyond its edges, as a share of its size. */
const BEYOND = 0.25;
/** One event of a wheel zooms by 2 to the power of this, at most. */
const WHEEL = 0.6;

/** What gestures do. Places are in pixels from the map's corner. */
export interface GestureListeners {
  zoomed(transform: Transform): void;
  /** The pointer is here, or has gone. */
  hovered(at: { x: number; y: number } | undefined): void;
  clicked(at: { x: number; y: number }, add: boolean): void;
  /** A rectangle is being drawn; undefined when it is done or given up. */
  drawing(box: Box | undefined): void;
  boxed(box: Box, add: boolean): void;
  /** The wheel was turned where it scrolls the page. */
  unheard(): void;
}

export interface Gestures {
  zoomBy(factor: number): void;
  /** Shows all of the map. */
  reset(): void;
  /** Moves this place of the map, before it is zoomed, into the middle. */
  centre(x: number, y: number): void;
  /** The map has another size: what was in the middle stays there. */
  resized(width: number, height: number): void;
  /** Whether a drag selects. Else it moves the map, but with Shift. */
  setSelecting(on: boolean): void;
}

/**
 * Zooms by pinch and wheel and moves by drag. The page stays scrollable: a wheel zooms with Ctrl or ⌘ or once `surface` has the focus, and one finger
 * moves the map only where it is zoomed in.
 */
export function createGestures(surface: HTMLElement, on: GestureListeners): Gestures {
  let isSelecting = false;
  let size = { width: 1, height: 1 };
  const selection = select(surface);
  const hears = (event: WheelEvent) => event.ctrlKey || event.metaKey || document.activeElement === surface;
  const behaviour = zoom<HTMLElement, unknown>()
    .scaleExtent([1, MOST])
    .clickDistance(DRAG)
    .wheelDelta((event: WheelEvent) => {
      const perPixel = event.deltaMode === 1 ? 0.05 : event.ctrlKey && Math.abs(event.deltaY) < 50 ? 0.02 : 0.002;
      return Math.max(-WHEEL, Math.min(WHEEL, -event.deltaY * perPixel));
    })
    .filter((event: Event) => {
      if (event instanceof WheelEvent) return hears(event);
      if (event instanceof MouseEvent) return event.button === 0 && !event.shiftKey && !isSelecting;
      const { touches } = event as TouchEvent;
      return touches.length > 1 || (!isSelecting && zoomTransform(surface).k > 1);
    })
    .on('zoom', ({ transform }: D3ZoomEvent<HTMLElement, unknown>) => {
      setTouch();
      on.zoomed({ k: transform.k, x: transform.x, y: transform.y });
    });
  selection.call(behaviour).on('dblclick.zoom', null);

  /** Which touches the browser itself takes. */
  function setTouch() {
    surface.style.touchAction = isSelecting || zoomTransform(surface).k > 1 ? 'none' : 'pan-y';
  }
  setTouch();

  const position = ({ clientX, clientY }: MouseEvent) => {
    const { left, top } = surface.getBoundingClientRect();
    return { x: clientX - left - surface.clientLeft, y: clientY - top - surface.clientTop };
  };
  let from: { x: number; y: number } | undefined;
  let isBox = false;
  const boxTo = (to: { x: number; y: number }): Box => ({ x0: from!.x, y0: from!.y, x1: to.x, y1: to.y });

  surface.addEventListener('pointerdown', (event) => {
    isBox = false;
    from = undefined;
    if (event.button !== 0 || !event.isPrimary) return on.drawing(undefined);
    surface.focus({ preventScroll: true });
    if (!isSelecting && !event.shiftKey) return;
    from = position(event);
    surface.setPointerCapture(event.pointerId);
  });
  surface.addEventListener('pointermove', (event) => {
    const to = position(event);
    if (from && (isBox || Math.hypot(to.x - from.x, to.y - from.y) >= DRAG)) {
      isBox = true;
      on.drawing(boxTo(to));
    }
    if (event.buttons === 0 && event.pointerType !== 'touch') on.hovered(to);
  });
  surface.addEventListener('pointerup', (event) => {
    if (from && isBox) on.boxed(boxTo(position(event)), event.shiftKey);
    from = undefined;
    on.drawing(undefined);
  });
  surface.addEventListener('pointercancel', () => {
    from = undefined;
    on.drawing(undefined);
  });
  surface.addEventListener('pointerleave', ({ pointerType }) => {
    if (pointerType !== 'touch') on.hovered(undefined); // what was tapped stays
  });
  surface.addEventListener('click', (event) => {
    if (isBox) isBox = false;
    else on.clicked(position(event), event.shiftKey);
  });
  surface.addEventListener('wheel', (event) => !hears(event) && on.unheard(), { passive: true });

  return {
    zoomBy: (factor) => behaviour.scaleBy(selection, factor),
    reset: () => behaviour.transform(selection, zoomIdentity),
    centre: (x, y) => behaviour.translateTo(selection, x, y),
    resized(width, height) {
      const { k, x, y } = zoomTransform(surface);
      const [across, down] = [width / size.width, height / size.height];
      size = { width, height };
      behaviour
        .extent([
          [0, 0],
          [width, height],
        ])
        .translateExtent([
          [-BEYOND * width, -BEYOND * height],
          [(1 + BEYOND) * width, (1 + BEYOND) * height],
        ]);
      behaviour.transform(selection, zoomIdentity.translate(x * across, y * down).scale(k));
    },
    setSelecting(on) {
      isSelecting = on;
      setTouch();
    },
  };
}
