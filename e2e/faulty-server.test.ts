import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright';
import { build } from 'rolldown';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { CHECKPOINT, MODES, SIGNATURE, startFaulty } from '../src/sources/fixtures';

const SECRET = 'Signature=f00d5ec2e7';

let faulty: Awaited<ReturnType<typeof startFaulty>>;
let pages: Server;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  faulty = await startFaulty(CHECKPOINT);
  const input = fileURLToPath(new URL('fixtures/faulty-page.ts', import.meta.url));
  const { output } = await build({ input, write: false, output: { format: 'iife' }, logLevel: 'warn' });
  pages = createServer((_, response) => response.setHeader('content-type', 'text/html').end('<!doctype html>'));
  await once(pages.listen(0, '127.0.0.1'), 'listening');
  browser = await chromium.launch({ executablePath: inject('chromiumPath') });
  page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${(pages.address() as AddressInfo).port}/`);
  await page.addScriptTag({ content: output[0].code });
});

afterAll(async () => {
  await browser?.close();
  pages?.close();
  await faulty?.close();
});

it.each(Object.entries(MODES))('a page of another origin: %s', async (mode, [outcome]) => {
  const options = { retryDelay: 1, ...(mode.startsWith('stalls') && { stallTimeout: 500 }) };
  type Load = (url: string, options: object) => Promise<{ error?: string }>;
  const result = await page.evaluate(([url, asked]) => (globalThis as unknown as { load: Load }).load(url, asked), [
    `${faulty.url(mode)}?${SECRET}`,
    options,
  ] as const);
  if (outcome === 'right') {
    const data = CHECKPOINT['model.safetensors'].subarray(-200_000);
    const sha256 = createHash('sha256').update(data).digest('hex');
    expect(result).toEqual({ config: { model_type: 'modernbert' }, modules: undefined, sha256 });
  } else {
    expect(result.error).toMatch(/^ModelFileError: /);
    expect(result.error?.slice('ModelFileError: '.length)).toMatch(outcome);
  }
  for (const secret of [SECRET, SIGNATURE]) expect(JSON.stringify(result)).not.toContain(secret.split('=')[1]);
});
