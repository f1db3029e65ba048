import { dot, plot } from '@observablehq/plot';
import { element } from '../dom';
import { largest, smallest } from '../extremes';

export interface MapTexts {
  texts: string[];
  /** Where each comes from: gives the colours. */
  groups: string[];
}

/** A map on the page: shows what is selected, and hears of it. */
export interface TextMap {
  select(selected: Set<number>): void;
}

/** Pixels around a point in which the pointer means it. */
const REACH = 24;
/** Shorter drags are clicks. */
const DRAG = 6;
/** Pixels around all points. */
const MARGIN = 32;

/**
 * Draws points [rows, 2] into `place`. Click or Enter selects a text (with Shift: adds or takes away), a drag selects all in a
 * rectangle, Escape none; arrow keys go to the next point in their direction. `onSelect` hears of every change.
 */
export function drawMap(
  place: HTMLElement,
  points: number[][],
  { texts, groups }: MapTexts,
  onSelect: (selected: Set<number>) => void,
): TextMap {
  const legend = legendOf(groups);
  const width = Math.max(280, place.clientWidth);
  const height = Math.max(260, Math.min(480, width * 0.62));
  const [x, y] = domains(points, width - 2 * MARGIN, height - 2 * MARGIN);
  const chart = plot({
    width,
    height,
    margin: MARGIN,
    axis: null,
    x: { domain: x },
    y: { domain: y },
    color: { legend: legend.names.length > 1, domain: legend.names, scheme: 'Tableau10' },
    marks: [
      dot(points, {
        x: (point: number[]) => point[0],
        y: (point: number[]) => point[1],
        fill: legend.names.length > 1 ? legend.of : 'currentColor',
        r: texts.length > 200 ? 3.5 : 5.5,
      }),
    ],
  });
  for (const style of chart.querySelectorAll('style')) style.remove(); // a strict content security policy forbids them
  const svg = chart instanceof SVGSVGElement ? chart : (chart.querySelector(':scope > svg') as SVGSVGElement);
  svg.classList.add('map-chart');
  svg.setAttribute('role', 'group');
  svg.ariaLabel = `Map of ${texts.length} texts: the closer two points, the more alike the texts. Arrow keys go from point to point, Enter selects.`;
  const circles = [...svg.querySelectorAll<SVGCircleElement>('circle')];
  const at = circles.map((circle) => ({ x: circle.cx.baseVal.value, y: circle.cy.baseVal.value }));
  const tip = element('p', { className: 'map-tip', hidden: true, ariaHidden: 'true' });
  const box = element('div', { className: 'map-box', hidden: true });
  place.replaceChildren(chart, tip, box);
  let selected = new Set<number>();

  for (const [i, circle] of circles.entries()) {
    circle.setAttribute('role', 'button');
    circle.setAttribute('tabindex', i === 0 ? '0' : '-1');
    circle.ariaLabel = `${i + 1}: ${texts[i].slice(0, 200)}`;
    circle.addEventListener('focus', () => point(i));
    circle.addEventListener('blur', () => point(undefined));
  }

  function point(i: number | undefined) {
    tip.hidden = i === undefined;
    for (const [j, circle] of circles.entries()) circle.classList.toggle('pointed', i === j);
    if (i === undefined) return;
    tip.textContent = `${i + 1}  ${texts[i].slice(0, 160)}${texts[i].length > 160 ? '…' : ''}`;
    const { left, top } = originOf(svg, place);
    const middle = left + at[i].x;
    tip.style.left = `${Math.max(0, Math.min(middle - tip.offsetWidth / 2, place.clientWidth - tip.offsetWidth))}px`;
    tip.style.top = `${top + at[i].y - tip.offsetHeight - 12}px`;
  }

  function show() {
    for (const [i, circle] of circles.entries()) {
      circle.setAttribute('aria-pressed', String(selected.has(i)));
      circle.classList.toggle('selected', selected.has(i));
    }
  }

  function choose(indices: number[], add: boolean) {
    const isOn = indices.some((i) => !selected.has(i));
    if (!add) selected = new Set(isOn || selected.size > indices.length ? indices : []);
    else for (const i of indices) isOn ? selected.add(i) : selected.delete(i);
    show();
    onSelect(selected);
  }

  function nearest(x: number, y: number): number | undefined {
    const distances = at.map((p) => Math.hypot(p.x - x, p.y - y));
    const least = smallest(distances);
    return least <= REACH ? distances.indexOf(least) : undefined;
  }

  const position = ({ clientX, clientY }: MouseEvent) => {
    const { left, top } = svg.getBoundingClientRect();
    return { x: clientX - left, y: clientY - top };
  };
  let from: { x: number; y: number } | undefined;
  svg.addEventListener('pointerdown', (event) => {
    if (event.button !== 0 || event.pointerType === 'touch') return; // fingers scroll the page
    from = position(event);
    svg.setPointerCapture(event.pointerId);
  });
  svg.addEventListener('pointermove', (event) => {
    const to = position(event);
    if (!from || Math.hypot(to.x - from.x, to.y - from.y) < DRAG) return point(nearest(to.x, to.y));
    const { left, top } = originOf(svg, place);
    box.hidden = false;
    box.style.left = `${left + Math.min(from.x, to.x)}px`;
    box.style.top = `${top + Math.min(from.y, to.y)}px`;
    box.style.width = `${Math.abs(to.x - from.x)}px`;
    box.style.height = `${Math.abs(to.y - from.y)}px`;
  });
  svg.addEventListener('pointerleave', () => point(undefined));
  svg.addEventListener('click', (event) => {
    const start = from ?? position(event);
    const end = position(event);
    from = undefined;
    box.hidden = true;
    if (Math.hypot(end.x - start.x, end.y - start.y) < DRAG) {
      const i = nearest(end.x, end.y);
      return choose(i === undefined ? [] : [i], event.shiftKey);
    }
    const isInside = ({ x, y }: { x: number; y: number }) =>
      Math.abs(2 * x - start.x - end.x) <= Math.abs(end.x - start.x) &&
      Math.abs(2 * y - start.y - end.y) <= Math.abs(end.y - start.y);
    choose(
      at.flatMap((p, i) => (isInside(p) ? [i] : [])),
      event.shiftKey,
    );
  });
  svg.addEventListener('keydown', (event) => {
    const i = circles.indexOf(event.target as SVGCircleElement);
    if (i < 0) return;
    if (event.key === 'Enter' || event.key === ' ') choose([i], event.shiftKey);
    else if (event.key === 'Escape') choose([], false);
    else {
      const next = step(at, i, event.key);
      if (next === undefined) return;
      circles[i].setAttribute('tabindex', '-1');
      circles[next].setAttribute('tabindex', '0');
      circles[next].focus();
    }
    event.preventDefault();
  });

  show();
  return {
    select(other) {
      selected = new Set(other);
      show();
    },
  };
}

/** More colours than these cannot be told apart. */
const COLOURS = 10;
const LONGEST_NAME = 40;

/** The names in the legend and which of them each point has: of many groups the largest, and one for all others. */
export function legendOf(groups: string[]): { names: string[]; of: string[] } {
  const sizes = new Map<string, number>();
  for (const group of groups) sizes.set(group, (sizes.get(group) ?? 0) + 1);
  const all = [...sizes.keys()];
  const own = all.length <= COLOURS ? all : all.sort((a, b) => sizes.get(b)! - sizes.get(a)!).slice(0, COLOURS - 1);
  const named = new Map(own.map((group) => [group, shortened(group)]));
  const others = `${all.length - own.length} other files`;
  return {
    names: [...new Set([...named.values(), ...(own.length < all.length ? [others] : [])])],
    of: groups.map((group) => named.get(group) ?? others),
  };
}

/** A file's name with its end, which tells more than its middle. */
const shortened = (name: string): string =>
  name.length <= LONGEST_NAME ? name : `${name.slice(0, LONGEST_NAME / 2)}…${name.slice(1 - LONGEST_NAME / 2)}`;

/** What the two axes show of points [rows, 2], as long a way per pixel in both directions, so that distances can be compared. */
export function domains(points: number[][], width: number, height: number): [number[], number[]] {
  const ranges = [0, 1].map((axis) => {
    const along = points.map((point) => point[axis]);
    return [smallest(along), largest(along)];
  });
  const [across, down] = ranges.map(([low, high]) => high - low);
  const perPixel = Math.max(across / width, down / height) || 1;
  const around = ([low, high]: number[], pixels: number) => {
    const half = (perPixel * pixels) / 2;
    return [(low + high) / 2 - half, (low + high) / 2 + half];
  };
  return [around(ranges[0], width), around(ranges[1], height)];
}

const originOf = (svg: SVGSVGElement, place: HTMLElement) => {
  const [inner, outer] = [svg.getBoundingClientRect(), place.getBoundingClientRect()];
  return { left: inner.left - outer.left, top: inner.top - outer.top };
};

/** The point that an arrow key goes to: near, and rather ahead than aside. Undefined for other keys and at the edge. */
export function step(at: { x: number; y: number }[], from: number, key: string): number | undefined {
  const direction = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key];
  if (!direction) return undefined;
  let best: number | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const [i, { x, y }] of at.entries()) {
    const [dx, dy] = [x - at[from].x, y - at[from].y];
    const ahead = dx * direction[0] + dy * direction[1];
    const aside = Math.abs(dx * direction[1]) + Math.abs(dy * direction[0]);
    const cost = ahead + 2 * aside;
    if (i !== from && ahead > 0 && cost < least) {
      least = cost;
      best = i;
    }
  }
  return best;
}
