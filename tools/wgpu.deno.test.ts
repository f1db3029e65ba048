import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compileInDeno, testsInDeno } from './deno.mjs';

/** The GPU tests that also run in Deno, and those of their tests that do not. */
const FILES: { file: string; without?: RegExp }[] = [
  { file: 'tools/deno-library.ts' },
  { file: 'src/kernels/norm.gpu.test.ts' },
  { file: 'src/kernels/head.gpu.test.ts' },
  { file: 'src/kernels/attention.gpu.test.ts' },
  { file: 'src/kernels/gemm.gpu.test.ts' },
  { file: 'src/model/golden.gpu.test.ts' },
];

for (const { file, without } of FILES) {
  const { names, start } = await testsInDeno(file, without);
  describe(file, () => {
    let run: ReturnType<typeof start>;
    beforeAll(() => {
      run = start();
    });
    afterAll(() => run.stop());
    names.forEach((name, index) => {
      it(name, async ({ skip }) => {
        const { status, note = '' } = await run.outcome(index);
        if (status === 'skipped') skip(note);
        if (status === 'failed') throw new Error(note);
      });
    });
    it('ends without an error', () => run.end());
  });
}

it('reports what Naga refuses', async () => {
  const good = '@compute @workgroup_size(1) fn main() {}';
  const { compiled } = await compileInDeno([
    { name: 'good', code: good },
    { name: 'bad', code: good.replace('{}', '{ let x: i32 = 1.5; }') },
  ]);
  expect(compiled).toEqual([{ name: 'good' }, { name: 'bad', error: expect.stringMatching(/'bad'.*`i32`/s) }]);
});
