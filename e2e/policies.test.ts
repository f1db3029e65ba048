/** The built library in pages with strict content security policies, in Chromium. */
import { type Browser, chromium, type Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { minCosine, nanoTexts, publicModel, readGolden } from '../src/model/fixtures/golden';
import { FLAGS } from './demo-page';
import { useLibraryPage } from './library-page';

/** No eval, no WebAssembly, nothing inline, no blob: or data: URL, no other origin. */
const STRICT = "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; img-src data:"; // for the page's icon
const TRUSTED = `${STRICT}; require-trusted-types-for 'script'; trusted-types`;

/** What the page has in `window`. */
declare const library: typeof import('../src/index');
declare const trustedTypes: {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): string };
};

let browser: Browser;
beforeAll(async () => {
  browser = await chromium.launch({ executablePath: inject('chromiumPath'), args: FLAGS });
});
afterAll(() => browser.close());

const pageOf = (policy: string) =>
  useLibraryPage({
    fileOf: (path) => path.replace(/^\/models\/(nano(?:-embed)?)\//, (_, name) => `${publicModel(name)}/`),
    headers: { 'content-security-policy': policy },
  });

/** Runs `test` in a page, and returns what it and the page's workers had to say beside its result. */
async function inPage<T>(
  origin: string,
  test: (page: Page) => Promise<T>,
): Promise<{ result: T; complaints: string[] }> {
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    const isMissing = message.text().includes('status of 404'); // files that a checkpoint may lack
    if (['error', 'warning'].includes(message.type()) && !isMissing) complaints.push(message.text());
  });
  await page.goto(origin);
  await page.waitForFunction(() => 'library' in window);
  const result = await test(page);
  await page.close();
  return { result, complaints };
}

type How = 'a worker of its own' | 'the page' | 'a worker of the page';

/** Embeds the golden texts and fills a mask. */
const useModels = (how: How) => (page: Page) =>
  page.evaluate(
    async ([how, texts]) => {
      const policy =
        how === 'a worker of the page' &&
        trustedTypes.createPolicy('modernbert-webgpu', { createScriptURL: (url) => url });
      const worker = () =>
        policy
          ? new Worker(policy.createScriptURL('/library/worker.js'), { type: 'module' })
          : how === 'a worker of its own';
      const embedder = await library.loadModel('/models/nano-embed', { worker: worker(), cache: 'always' });
      const { data, rows, dim } = await embedder.embed(texts, { normalize: false });
      await embedder.dispose();
      const model = await library.loadModel('/models/nano', { worker: worker() });
      const [{ candidates }] = await model.fillMask('The capital of France is [MASK].');
      await model.dispose();
      return { data: [...data], rows, dim, cache: embedder.info.cache.state, token: candidates[0].token };
    },
    [how, nanoTexts()] as const,
  );

async function check(origin: string, how: How) {
  const { result, complaints } = await inPage(origin, useModels(how));
  expect(complaints).toEqual([]);
  const expected = readGolden('nano-embed').floats('mean_pooled');
  expect([result.rows, result.dim]).toEqual(expected.shape);
  expect(minCosine(Float32Array.from(result.data), expected.data, result.dim)).toBeGreaterThan(0.999);
  expect(result).toMatchObject({ cache: 'stored', token: ' Paris' });
}

describe("under default-src 'none'", () => {
  const originOf = pageOf(STRICT);

  it.each(['a worker of its own', 'the page'] as const)('embeds and fills a mask in %s, without a complaint', (how) =>
    check(originOf(), how),
  );

  it('the policy is in force: no eval, no WebAssembly, no worker from a blob, no other origin', async () => {
    const { result } = await inPage(originOf(), (page) =>
      page.evaluate(async () => {
        const refused: string[] = [];
        document.addEventListener('securitypolicyviolation', (event) =>
          refused.push(`${event.effectiveDirective} ${event.blockedURI}`),
        );
        setTimeout('document.title = "run"');
        await WebAssembly.compile(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])).catch(() => {});
        new Worker(URL.createObjectURL(new Blob(['postMessage(1)'])));
        await fetch('http://127.0.0.1:9/').catch(() => {});
        await new Promise((resolve) => setTimeout(resolve, 100));
        return { refused, title: document.title };
      }),
    );
    expect(result.title).toBe('');
    expect(result.refused.sort()).toEqual([
      'connect-src http://127.0.0.1:9/',
      'script-src eval',
      'script-src wasm-eval',
      'worker-src blob',
    ]);
  });
});

describe('under Trusted Types', () => {
  const withoutPolicies = pageOf(`${TRUSTED} 'none'`);
  const withPolicy = pageOf(`${TRUSTED} modernbert-webgpu`);

  it('works in a worker that the page makes by a policy of its own', () => check(withPolicy(), 'a worker of the page'));

  it('works in the page itself where no policy is allowed', () => check(withoutPolicies(), 'the page'));

  it('a worker of its own is refused, with what to do', async () => {
    const { result } = await inPage(withPolicy(), (page) =>
      page.evaluate(() => library.loadModel('/models/nano').catch(({ name, message }: Error) => `${name}: ${message}`)),
    );
    expect(result).toMatch(/^WorkerError: .*TrustedScriptURL.* under Trusted Types .* pass it as the option worker\.$/);
  });
});
