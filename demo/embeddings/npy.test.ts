import { expect, it } from 'vitest';
import { npy } from './npy';

/** As numpy.lib.format describes it. */
function parse(bytes: Uint8Array) {
  const view = new DataView(bytes.buffer);
  expect([...bytes.subarray(0, 8)]).toEqual([0x93, ...Buffer.from('NUMPY'), 1, 0]);
  const start = 10 + view.getUint16(8, true);
  expect(start % 64).toBe(0);
  const header = Buffer.from(bytes.subarray(10, start)).toString('latin1');
  const match = /^\{'descr': '<f4', 'fortran_order': False, 'shape': \((\d+), (\d+)\), \} *\n$/.exec(header);
  expect(header).toMatch(/\n$/);
  const values = Array.from({ length: (bytes.length - start) / 4 }, (_, i) => view.getFloat32(start + 4 * i, true));
  return { rows: Number(match?.[1]), columns: Number(match?.[2]), values };
}

it('writes what NumPy reads', () => {
  const values = [1, -2.5, 0, 1e-9, 3, 65504].map(Math.fround);
  expect(parse(npy(Float32Array.from(values), 2, 3))).toEqual({ rows: 2, columns: 3, values });
  expect(parse(npy(new Float32Array(0), 0, 256))).toEqual({ rows: 0, columns: 256, values: [] });
});

it('refuses what is no matrix', () => {
  expect(() => npy(new Float32Array(5), 2, 3)).toThrow(RangeError);
});
