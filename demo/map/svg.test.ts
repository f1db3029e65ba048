import { expect, it } from 'vitest';
import type { Scene } from './scene';
import { svgOf } from './svg';

const scene: Scene = {
  width: 200,
  height: 100,
  places: { x: Float32Array.of(10, 50, 500), y: Float32Array.of(20, 40, 20) },
  transform: { k: 2, x: -10, y: 5 },
  palette: {
    surface: '#fff',
    ink: '#000',
    quiet: '#777',
    accent: '#00f',
    tape: '#ff0',
    onTape: '#220',
    groups: ['#123456', '#654321'],
  },
  colours: Uint8Array.of(0, 1, 0),
  dimmed: Uint8Array.of(1, 0, 0),
  hits: [1],
  selected: new Set(),
  pointed: undefined,
  near: [],
  labels: [{ text: 'salt & <pepper>', x: 40, y: 30, isCluster: true }],
};

it('writes points where they are seen, ranks, labels and the legend', () => {
  const svg = svgOf(scene, ['a.txt', '"b"']);
  expect(svg).toContain('<circle cx="10" cy="45"'); // 2 · 10 − 10, 2 · 20 + 5
  expect(svg).toContain('<circle cx="90" cy="85"'); // 2 · 50 − 10, 2 · 40 + 5
  expect(svg).not.toContain('cx="990"');
  expect(svg).toContain('fill="#777" fill-opacity="0.25"');
  expect(svg).toContain('>1</text>');
  expect(svg).toContain('>salt &amp; &lt;pepper&gt;</text>');
  expect(svg).toContain('>&quot;b&quot;</text>');
  expect(svg).toContain('viewBox="0 0 200 152"'); // with two lines of legend
});
