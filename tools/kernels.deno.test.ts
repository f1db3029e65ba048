import { expect, it } from 'vitest';
import { compileInDeno } from './deno.mjs';
import { describeInDeno } from './deno-suite';

// lavapipe takes seconds to compile a kernel. So what is left out is the same kernel in another size or design.
await describeInDeno('src/kernels/norm.gpu.test.ts');
await describeInDeno('src/kernels/head.gpu.test.ts');
await describeInDeno('src/kernels/sparse.gpu.test.ts');
await describeInDeno('src/kernels/attention.gpu.test.ts', /head_dim 96|tiles of|written out/);
await describeInDeno('src/kernels/gemm-tiers.gpu.test.ts');
await describeInDeno(
  'src/kernels/gemm.gpu.test.ts',
  /workgroup.*(activates with|head_dim 20)|head_dim (96|128)|split_k.*quantised|written out/,
);

it('reports what Naga refuses', async () => {
  const good = '@compute @workgroup_size(1) fn main() {}';
  const { compiled } = await compileInDeno([
    { name: 'good', code: good },
    { name: 'bad', code: good.replace('{}', '{ let x: i32 = 1.5; }') },
  ]);
  expect(compiled).toEqual([{ name: 'good' }, { name: 'bad', error: expect.stringMatching(/'bad'.*`i32`/s) }]);
});
