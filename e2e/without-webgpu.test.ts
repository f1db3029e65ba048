import { expect, it } from 'vitest';
import { textOf, useDemo, waitForText } from './demo-page';

const open = useDemo();

it('says which browsers have WebGPU, and nothing breaks', async () => {
  const page = await open({
    prepare: (page) => page.addInitScript(() => Reflect.deleteProperty(Navigator.prototype, 'gpu')),
  });
  expect(await textOf(page, '#no-webgpu')).toMatch(/does not offer WebGPU.*Chrome.*Safari.*Firefox/s);
  expect(await page.locator('#insecure-page').isVisible()).toBe(false);
  expect(await textOf(page, '#fill-mask .model-state')).toBe('not loaded');
  expect(page.workers()).toHaveLength(0);
});

it('says in place that there is no adapter', async () => {
  const page = await open({
    prepare: (page) =>
      page.route(/\/worker-.*\.js$/, async (route) => {
        const response = await route.fetch();
        const body = `GPU.prototype.requestAdapter = async () => null;\n${await response.text()}`;
        await route.fulfill({ response, body });
      }),
  });
  await waitForText(page, '#fill-mask .model > .error', 'WebGPU');
  await page.click('#fill');
  await waitForText(page, '#fill-mask form .error', 'could not be loaded');
});

it('says what to do when the worker cannot be loaded', async () => {
  const page = await open({
    prepare: (page) =>
      page.route(/\/worker-.*\.js$/, (route) => route.fulfill({ contentType: 'text/javascript', body: '(' })),
  });
  await waitForText(page, '#fill-mask .model > .error', /The worker/);
});
