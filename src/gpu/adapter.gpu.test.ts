import { expect, test } from 'vitest';
import { testGpu } from './fixtures';

/** How the driver of each test project describes itself. `system` is whatever Dawn picks. */
const DESCRIPTIONS: Record<string, RegExp> = { lavapipe: /llvmpipe/, swiftshader: /SwiftShader/, system: /./ };

test('the GPU tests run on the driver that their project names', async () => {
  const adapter = await testGpu().requestAdapter();
  const expected = DESCRIPTIONS[process.env.GPU_ADAPTER ?? ''];
  expect(expected, 'GPU_ADAPTER').toBeDefined();
  expect(`${adapter?.info.description} ${adapter?.info.device}`).toMatch(expected as RegExp);
});
