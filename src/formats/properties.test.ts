import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseHeader, safetensorsHeader } from './safetensors';

const BYTES = { F32: 4, F16: 2, BF16: 2, I64: 8, U8: 1 };

it('the header of any tensors, whatever their names, is read as it was written', () => {
  const name = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('__proto__', 'constructor', '1', '0', ''));
  const dtype = fc.constantFrom(...(Object.keys(BYTES) as (keyof typeof BYTES)[]));
  const shape = fc.array(fc.nat({ max: 50 }), { maxLength: 4 });
  const tensors = fc.uniqueArray(fc.record({ name, dtype, shape }), {
    selector: (tensor) => tensor.name,
    maxLength: 12,
  });
  fc.assert(
    fc.property(tensors, (given) => {
      const named = given
        .filter((tensor) => tensor.name !== '__metadata__')
        .map((tensor) => ({ ...tensor, bytes: BYTES[tensor.dtype] * tensor.shape.reduce((a, b) => a * b, 1) }));
      const { header, size } = safetensorsHeader(named, { format: 'pt' });
      const read = parseHeader(header.subarray(8), 'file', size - header.length);
      const byName = new Map(read.map((tensor) => [tensor.name, tensor]));
      expect(read).toHaveLength(named.length);
      let at = 0;
      for (const { name, dtype, shape, bytes } of named) {
        expect(byName.get(name)).toEqual({ name, dtype, shape, begin: at, end: at + bytes });
        at += bytes;
      }
    }),
  );
});
