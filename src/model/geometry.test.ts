import { describe, expect, it } from 'vitest';
import { type ModelConfig, parseConfig } from './config';
import { attentionPlace, gegluPlace, geometryOf, qkvPlace, ropePlace, ropeTable } from './geometry';

const configOf = (hidden_size: number, num_attention_heads: number, intermediate_size = 100): ModelConfig =>
  parseConfig({
    model_type: 'modernbert',
    vocab_size: 777,
    hidden_size,
    intermediate_size,
    num_hidden_layers: 1,
    num_attention_heads,
    max_position_embeddings: 64,
  });

const SHAPES = [
  [768, 12],
  [100, 5],
  [96, 1],
  [128, 1],
  [64, 2],
  [6, 3],
] as const;

const placesOf = (count: number, at: (i: number) => number) => Array.from({ length: count }, (_, i) => at(i));

describe('geometry', () => {
  it('pads every width to what the kernels step by', () => {
    expect(geometryOf(configOf(100, 5))).toEqual({
      hidden: 128,
      heads: 5,
      headDim: 32,
      attention: 160,
      intermediate: 128,
      vocab: 784,
    });
    expect(geometryOf(configOf(768, 12, 1152))).toEqual({
      hidden: 768,
      heads: 12,
      headDim: 64,
      attention: 768,
      intermediate: 1152,
      vocab: 784,
    });
  });

  it.each(SHAPES)('gives every row and column a place of its own, %i wide with %i heads', (hidden, heads) => {
    const config = configOf(hidden, heads);
    const geometry = geometryOf(config);
    for (const [places, room] of [
      [placesOf(config.head_dim, ropePlace(config, geometry)), geometry.headDim],
      [placesOf(3 * hidden, qkvPlace(config, geometry)), 3 * geometry.attention],
      [placesOf(hidden, attentionPlace(config, geometry)), geometry.attention],
      [placesOf(200, gegluPlace(config)), 2 * geometry.intermediate],
    ] as const) {
      expect(new Set(places).size).toBe(places.length);
      expect(Math.min(...places)).toBeGreaterThanOrEqual(0);
      expect(Math.max(...places)).toBeLessThan(room);
    }
  });

  it.each(SHAPES)(
    "puts RoPE's partners one pair apart, the first in an even run: %i wide, %i heads",
    (hidden, heads) => {
      const config = configOf(hidden, heads);
      const geometry = geometryOf(config);
      const pair = geometry.headDim % 64 === 0 ? 32 : 16;
      const place = ropePlace(config, geometry);
      for (let d = 0; d < config.head_dim / 2; d++) {
        expect(place(d + config.head_dim / 2)).toBe(place(d) + pair);
        expect(Math.floor(place(d) / pair) % 2).toBe(0);
        // The angle that the shader works out from the column.
        expect(Math.floor(place(d) / (2 * pair)) * pair + (place(d) % pair)).toBe(d);
      }
    },
  );

  it('keeps q, k and v of a head in that head, v in order', () => {
    const config = configOf(100, 5);
    const place = qkvPlace(config, geometryOf(config));
    expect(placesOf(20, (d) => place(200 + 40 + d))).toEqual(placesOf(20, (d) => 2 * 160 + 2 * 32 + d));
    for (let d = 0; d < 20; d++) expect(Math.floor(place(100 + 60 + d) / 32)).toBe(5 + 3);
  });

  it('puts a gate 32 columns after its value', () => {
    const place = gegluPlace(configOf(96, 1));
    expect([0, 31, 32, 99].map(place)).toEqual([0, 31, 64, 195]);
    for (let i = 0; i < 100; i++) expect(place(100 + i)).toBe(place(i) + 32);
  });

  it('has the cosines and sines of every angle, zeros where a head is padded', () => {
    const config = configOf(100, 5);
    const table = ropeTable(config, geometryOf(config), 10_000);
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
    expect([...table.subarray(32 + 10, 32 + 16), ...table.subarray(32 + 26, 64)].every((x) => x === 0)).toBe(true);
  });
});
