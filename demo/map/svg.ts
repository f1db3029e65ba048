import { fontOf, HIT_RADIUS, onScreen, radiusOf, type Scene } from './scene';

/** The map as an SVG file, with what the legend says. */
export function svgOf(scene: Scene, legend: readonly string[]): string {
  const { width, height, palette, colours, dimmed, transform } = scene;
  const radius = round(radiusOf(colours.length, transform.k));
  const legendHeight = legend.length > 0 ? 20 * legend.length + 12 : 0;
  const lines: string[] = [];
  const circle = (i: number, r: number, fill: string, more = '') => {
    const { x, y } = onScreen(scene, i);
    if (x < -r || y < -r || x > width + r || y > height + r) return;
    lines.push(`<circle cx="${round(x)}" cy="${round(y)}" r="${r}" fill="${escaped(fill)}"${more}/>`);
  };
  for (let i = 0; i < colours.length; i++) {
    if (dimmed?.[i]) circle(i, radius, palette.quiet, ' fill-opacity="0.25"');
  }
  for (let i = 0; i < colours.length; i++) {
    if (!dimmed?.[i]) circle(i, radius, palette.groups[colours[i]], ' fill-opacity="0.8"');
  }
  for (const i of scene.selected) circle(i, Math.max(4, radius) + 1, palette.tape, ` stroke="${escaped(palette.ink)}"`);
  for (const [rank, i] of [...scene.hits.entries()].reverse()) {
    circle(i, HIT_RADIUS, palette.tape, ` stroke="${escaped(palette.onTape)}" stroke-width="1.5"`);
    const { x, y } = onScreen(scene, i);
    lines.push(text(String(rank + 1), x, y, fontOf(true), palette.onTape));
  }
  const rim = ` stroke="${escaped(palette.surface)}" stroke-width="4" stroke-linejoin="round" paint-order="stroke"`;
  for (const label of scene.labels) {
    lines.push(text(label.text, label.x, label.y, fontOf(label.isCluster), palette.ink, rim));
  }
  for (const [i, name] of legend.entries()) {
    const y = height + 16 + 20 * i;
    lines.push(`<circle cx="16" cy="${y}" r="5" fill="${escaped(palette.groups[i])}"/>`);
    lines.push(text(name, 28, y, fontOf(false), palette.ink, ' text-anchor="start"'));
  }
  const all = height + legendHeight;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${all}" viewBox="0 0 ${width} ${all}">`,
    `<rect width="100%" height="100%" fill="${escaped(palette.surface)}"/>`,
    `<g>`,
    ...lines,
    '</g></svg>\n',
  ].join('\n');
}

function text(content: string, x: number, y: number, font: string, fill: string, more = ''): string {
  const anchor = more.includes('text-anchor') ? '' : ' text-anchor="middle"';
  return `<text x="${round(x)}" y="${round(y)}" dominant-baseline="central" style="font: ${escaped(font)}" fill="${escaped(fill)}"${anchor}${more}>${escaped(content)}</text>`;
}

const round = (n: number): number => Math.round(100 * n) / 100;

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
/** Also without the control characters that XML forbids. */
const escaped = (content: string): string =>
  content.replace(/[&<>"]/g, (character) => ESCAPES[character]).replace(/\p{Cc}/gu, ' ');
