import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { PLANS } from '../kernels/gemm';
import { filePlans } from './plans-folder';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plans-'));
});
afterAll(() => rm(folder, { recursive: true }));

it('keeps a plan from one process to the next, and leaves no other files', async () => {
  const inside = join(folder, 'made', 'when', 'needed');
  await expect(filePlans(inside).get('a GEMM')).rejects.toThrow('ENOENT');
  await filePlans(inside).set('a GEMM', PLANS.workgroup);
  await filePlans(inside).set('a GEMM', PLANS.workgroup);
  expect(await filePlans(inside).get('a GEMM')).toEqual(PLANS.workgroup);
  await expect(filePlans(inside).get('another')).rejects.toThrow('ENOENT');
  expect(await readdir(inside)).toHaveLength(1);
});
