import { expect, it } from 'vitest';
import { prepareWorker, textOf, useDemo, waitForText } from './demo-page';

const open = useDemo();

it('says which browsers support WebGPU, without errors', async () => {
  const page = await open({
    prepare: (page) => page.addInitScript(() => Reflect.deleteProperty(Navigator.prototype, 'gpu')),
  });
  expect(await textOf(page, '#no-webgpu')).toMatch(/does not offer WebGPU.*Chrome.*Safari.*Firefox/s);
  expect(await textOf(page, '#no-webgpu')).toContain('chrome://gpu');
  expect(await textOf(page, '#no-webgpu')).not.toContain('about:');
  expect(await page.locator('#insecure-page').isVisible()).toBe(false);
  expect(await textOf(page, '#fill-mask .model-state')).toBe('not loaded');
  expect(page.workers()).toHaveLength(0);
});

it('says next to the model that there is no adapter', async () => {
  const page = await open({
    prepare: (page) => prepareWorker(page, 'GPU.prototype.requestAdapter = async () => null;'),
  });
  await waitForText(page, '#fill-mask .model > .error', 'WebGPU');
  expect(await page.locator('#no-webgpu').isVisible()).toBe(false); // the page itself has one
  await page.click('#fill');
  await waitForText(page, '#fill-mask form .error', 'could not be loaded');
});

it('says at the top that the browser has no adapter, without the browsers that would have WebGPU', async () => {
  const page = await open({
    path: '#benchmark',
    prepare: (page) => page.addInitScript(() => Object.assign(GPU.prototype, { requestAdapter: async () => null })),
  });
  await waitForText(page, '#no-webgpu h2', 'This browser found no GPU that it would use');
  expect(await textOf(page, '#no-webgpu')).toMatch(/models cannot run here.*chrome:\/\/gpu/s);
  expect(await page.locator('#webgpu-browsers').isVisible()).toBe(false);
});

it('says what to do when the worker cannot be loaded', async () => {
  const page = await open({
    prepare: (page) =>
      page.route(/\/worker-[\w-]{8}\.js$/, (route) => route.fulfill({ contentType: 'text/javascript', body: '(' })),
  });
  await waitForText(page, '#fill-mask .model > .error', /The worker/);
});
