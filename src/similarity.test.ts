import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { Embeddings, PrecisionData } from './api/embeddings';
import { maxSim, similarity } from './similarity';
import { pack } from './tasks/embedding-precision';
import { embeddingsOf } from './tasks/embeddings-of';

const rows = (...list: number[][]): Embeddings =>
  embeddingsOf<'float32'>({ data: Float32Array.from(list.flat()), rows: list.length, dim: list[0].length });
const packed = <P extends keyof PrecisionData>(precision: P, embeddings: Embeddings): Embeddings<P> =>
  embeddingsOf({ ...embeddings, data: pack(precision, embeddings.dim, undefined)(embeddings.data) });

const a = rows([3, 4, 0], [0, 0, 2]);
const b = rows([4, 3, 0], [-3, -4, 0], [0, 0, 1]);

describe('similarity', () => {
  it('compares each row of one with each row of the other', () => {
    const expected = {
      cosine: [
        [24 / 25, -1, 0],
        [0, 0, 1],
      ],
      dot: [
        [24, -25, 0],
        [0, 0, 2],
      ],
      euclidean: [
        [-Math.sqrt(2), -10, -Math.sqrt(26)],
        [-Math.sqrt(29), -Math.sqrt(29), -1],
      ],
      manhattan: [
        [-2, -14, -8],
        [-9, -9, -1],
      ],
    } as const;
    for (const [metric, table] of Object.entries(expected)) {
      const found = similarity(a, b, metric as keyof typeof expected);
      for (const [i, row] of table.entries()) for (const [j, x] of row.entries()) expect(found[i][j]).toBeCloseTo(x, 5);
    }
    expect(similarity(a, b)).toEqual(similarity(a, b, 'cosine'));
  });

  it('compares int8 by cosine and binary by the cosine of the signs', () => {
    for (const [i, row] of similarity(packed('int8', a), packed('int8', b)).entries()) {
      for (const [j, x] of row.entries()) expect(x).toBeCloseTo(similarity(a, b)[i][j], 2);
    }
    const signs = [1, -1, 1, 1, -1, 1, 1, -1, 1, -1];
    const other = signs.map((x, i) => (i < 4 ? x : -x));
    const [[same, mixed]] = similarity(packed('binary', rows(signs)), packed('binary', rows(signs, other)));
    expect(same).toBe(1);
    expect(mixed).toBeCloseTo(1 - (2 * 6) / 10, 6);
  });

  it('refuses embeddings that cannot be compared', () => {
    expect(() => similarity(a, rows([1, 2]))).toThrow('Embeddings of 3 and of 2 numbers');
    expect(() => similarity(a, packed('int8', b) as unknown as Embeddings)).toThrow(
      'Float32Array rows and Int8Array rows',
    );
    expect(() => similarity(packed('int8', a), packed('int8', b), 'dot')).toThrow(
      'Int8Array rows can only be compared by cosine',
    );
    expect(() => similarity(a, b, 'hamming' as 'dot')).toThrow("it is 'hamming'");
  });

  it('refuses vectors of different embedding spaces; those without one are compared', () => {
    const [one, two] = ['org/a@1a2b3c4/float/mean/3/unit', 'org/b/float/mean/3/unit'];
    const inSpace = (embeddingSpace: string) => ({ ...a, embeddingSpace });
    expect(similarity(inSpace(one), inSpace(one))).toEqual(similarity(a, a));
    expect(similarity(inSpace(one), a)).toEqual(similarity(a, inSpace(one)));
    for (const compare of [similarity, maxSim]) {
      expect(() => compare(inSpace(one), inSpace(two))).toThrow(
        new RangeError(
          `Vectors of different embedding spaces, ${one} and ${two}, cannot be compared: make both with one model and the same options. Without embeddingSpace they are not checked.`,
        ),
      );
    }
  });

  it('compares vectors made by hand', () => {
    const byHand = (data: Float32Array) => ({ data, rows: 1, dim: data.length, row: () => data });
    expect(similarity(byHand(Float32Array.of(3, 4)), byHand(Float32Array.of(4, 3)))[0][0]).toBeCloseTo(24 / 25, 6);
  });
});

it('what embed does not return is refused', () => {
  const one = rows([1, 0]);
  for (const wrong of [one.row(0), one.toArrays(), Promise.resolve(one), undefined]) {
    expect(() => similarity(one, wrong as never)).toThrow(TypeError);
    expect(() => similarity(wrong as never, one)).toThrow('similarity compares what embed resolves to');
  }
  expect(() => one.row(1)).toThrow('There is no row 1: there are 1, from 0.');
  expect(() => one.row(-1)).toThrow(RangeError);
});

it('embeddings print their sizes and first numbers', () => {
  expect(inspect({ a: rows([0.123456, -1, 2], [3, 4, 5]) })).toBe(
    '{\n  a: Embeddings { rows: 2, dim: 3, data: Float32Array [0.1235, -1, 2, 3, …] }\n}',
  );
  const none = embeddingsOf({ data: new Int8Array(0), rows: 0, dim: 3 });
  expect(inspect(none)).toBe('Embeddings { rows: 0, dim: 3, data: Int8Array [] }');
});

describe('toArrays', () => {
  it('has the rows as lists of numbers, of binary rows the bytes', () => {
    expect(a.toArrays()).toEqual([
      [3, 4, 0],
      [0, 0, 2],
    ]);
    expect(JSON.stringify(packed('int8', a).toArrays())).toBe('[[95,127,0],[0,0,127]]');
    expect(packed('binary', rows([1, -1, 1, 1, -1, 1, 1, -1, 1, -1])).toArrays()).toEqual([[0b10110110, 0b10000000]]);
    expect(embeddingsOf({ data: new Float32Array(0), rows: 0, dim: 3 }).toArrays()).toEqual([]);
  });
});

describe('maxSim', () => {
  it('sums the best match of each query token', () => {
    expect(maxSim(a, b)).toBe(24 + 2);
    expect(() => maxSim(a, rows([1, 2]))).toThrow(RangeError);
  });
});

describe('pack', () => {
  it("int8: each row's largest magnitude is 127", () => {
    expect(packed('int8', rows([0.02, -0.04, 0.01], [0, 0, 0])).data).toEqual(Int8Array.of(64, -127, 32, 0, 0, 0));
  });

  it("int8 with ranges and binary match sentence-transformers' quantize_embeddings", () => {
    const ranges = { min: [-1, 0, 0], max: [1, 2, 0] };
    const int8 = pack('int8', 3, ranges)(Float32Array.of(-1, 2, 5, 0, 0.5, 0, 9, -9, 0));
    expect(int8).toEqual(Int8Array.of(-128, 127, 0, 0, -64, 0, 127, -128, 0));
    const bits = pack('binary', 10, undefined)(Float32Array.of(1, -1, 0, 2, 0, 0, 0, 1, -1, 3));
    expect(bits).toEqual(Uint8Array.of(0b10010001, 0b01000000)); // np.packbits(x > 0)
  });

  it('refuses unknown precisions, and ranges that do not fit', () => {
    expect(() => pack('int4' as 'int8', 3, undefined)).toThrow("it is 'int4'");
    expect(() => pack('int8', 3, { min: [0], max: [1] })).toThrow('ranges need precision');
    expect(() => pack('binary', 1, { min: [0], max: [1] })).toThrow('ranges need precision');
  });
});
