import { describe, expect, it } from 'vitest';
import { attentionPlace, gegluPlace, headsLayout, paddedWidth, qkvPlace, ropePlace, ropeTable } from './layout';

const SHAPES = [
  [768, 12],
  [100, 5],
  [96, 1],
  [128, 1],
  [64, 2],
  [6, 3],
] as const;

const placesOf = (count: number, at: (i: number) => number) => Array.from({ length: count }, (_, i) => at(i));

describe('layout', () => {
  it("pads every width to a multiple of the kernels' step", () => {
    expect(headsLayout(5, 20)).toEqual({
      heads: 5,
      kv_heads: 5,
      head_dim: 20,
      headDim: 32,
      attention: 160,
      keyWidth: 160,
      qkv: 480,
    });
    expect(headsLayout(12, 64, 4)).toMatchObject({ headDim: 64, attention: 768, keyWidth: 256, qkv: 1280 });
    expect([100, 768, 1152].map(paddedWidth)).toEqual([128, 768, 1152]);
  });

  it.each(SHAPES)('maps every row and column to a different place: %i wide, %i heads', (hidden, heads) => {
    const layout = headsLayout(heads, hidden / heads);
    for (const [places, room] of [
      [placesOf(layout.head_dim, ropePlace(layout)), layout.headDim],
      [placesOf(3 * hidden, qkvPlace(layout)), 3 * layout.attention],
      [placesOf(hidden, attentionPlace(layout)), layout.attention],
      [placesOf(200, gegluPlace(100)), 2 * paddedWidth(100)],
    ] as const) {
      expect(new Set(places).size).toBe(places.length);
      expect(Math.min(...places)).toBeGreaterThanOrEqual(0);
      expect(Math.max(...places)).toBeLessThan(room);
    }
  });

  it.each(SHAPES)(
    "puts RoPE's partners one pair apart, the first in an even run: %i wide, %i heads",
    (hidden, heads) => {
      const layout = headsLayout(heads, hidden / heads);
      const pair = layout.headDim % 64 === 0 ? 32 : 16;
      const place = ropePlace(layout);
      for (let d = 0; d < layout.head_dim / 2; d++) {
        expect(place(d + layout.head_dim / 2)).toBe(place(d) + pair);
        expect(Math.floor(place(d) / pair) % 2).toBe(0);
        // The angle as the shader derives it from the column.
        expect(Math.floor(place(d) / (2 * pair)) * pair + (place(d) % pair)).toBe(d);
      }
    },
  );

  it('keeps q, k and v of a head within that head, and v in order', () => {
    const place = qkvPlace(headsLayout(5, 20));
    expect(placesOf(20, (d) => place(200 + 40 + d))).toEqual(placesOf(20, (d) => 2 * 160 + 2 * 32 + d));
    for (let d = 0; d < 20; d++) expect(Math.floor(place(100 + 60 + d) / 32)).toBe(5 + 3);
    const shared = qkvPlace(headsLayout(4, 20, 2));
    expect(placesOf(20, (d) => shared(120 + 20 + d))).toEqual(placesOf(20, (d) => 4 * 32 + 2 * 32 + 32 + d));
    expect(placesOf(20, qkvPlace(headsLayout(5, 20), false))).toEqual(placesOf(20, (d) => d));
  });

  it('puts a gate 32 columns after its value', () => {
    const place = gegluPlace(100);
    expect([0, 31, 32, 99].map(place)).toEqual([0, 31, 64, 195]);
    for (let i = 0; i < 100; i++) expect(place(100 + i)).toBe(place(i) + 32);
  });

  it('tabulates the cosine and sine of every angle, with zeros where a head is padded', () => {
    const table = ropeTable(headsLayout(5, 20), 10_000, 64);
    expect(table.length).toBe(64 * 32);
    for (const [position, i] of [
      [0, 0],
      [1, 0],
      [63, 0],
      [63, 9],
      [17, 3],
    ]) {
      const angle = position * 10_000 ** ((-2 * i) / 20);
      expect(table[position * 32 + i]).toBeCloseTo(Math.cos(angle), 5);
      expect(table[position * 32 + 16 + i]).toBeCloseTo(Math.sin(angle), 5);
    }
    const scaled = ropeTable(headsLayout(5, 20), 10_000, 64, 4);
    expect(scaled[40 * 32 + 3]).toBeCloseTo(table[10 * 32 + 3], 5); // angles a quarter as large
    expect([...table.subarray(32 + 10, 32 + 16), ...table.subarray(32 + 26, 64)].every((x) => x === 0)).toBe(true);
  });
});
