/** For the Vitest project deno: every test of a GPU test file becomes a test that reports what it did in Deno. */
import { afterAll, beforeAll, describe, it } from 'vitest';
import { testsInDeno } from './deno.mjs';

/** `file` by its path in the project; `without` leaves out the tests whose names it finds. */
export async function describeInDeno(file: string, without?: RegExp): Promise<void> {
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
