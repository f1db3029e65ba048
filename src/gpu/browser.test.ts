import { afterEach, describe, expect, it, vi } from 'vitest';
import { WebGPUUnavailableError } from '../api/errors';
import { advice, isFirefox } from './browser';
import { openGpu } from './device';

const FIREFOX = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:160.0) Gecko/20100101 Firefox/160.0';
const WEBKIT = 'AppleWebKit/605.1.15 (KHTML, like Gecko)';
const CHROME = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/157.0.0.0 Safari/537.36';
const OTHERS = {
  Safari: `Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) ${WEBKIT} Version/27.2 Safari/605.1.15`,
  'Firefox of iOS': `Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) ${WEBKIT} FxiOS/160.0 Mobile/15E148 Safari/604.1`,
  'Chrome of iOS': `Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) ${WEBKIT} CriOS/157.0 Mobile/15E148 Safari/604.1`,
  Node: 'Node.js/24',
  nothing: '',
};

afterEach(() => void vi.unstubAllGlobals());

const adviceIn = (userAgent: string) => {
  vi.stubGlobal('navigator', { userAgent });
  return advice();
};

describe('isFirefox', () => {
  it('is so for Gecko only', () => {
    const found = [FIREFOX, CHROME, ...Object.values(OTHERS)].filter((userAgent) => {
      vi.stubGlobal('navigator', { userAgent });
      return isFirefox();
    });
    expect(found).toEqual([FIREFOX]);
    vi.stubGlobal('navigator', undefined); // Node 20
    expect(isFirefox()).toBe(false);
  });
});

describe('advice', () => {
  it("names the browser's own pages", () => {
    expect(adviceIn(FIREFOX)).toMatch(/about:support.*about:config/);
    expect(adviceIn(FIREFOX)).not.toContain('chrome:');
    for (const chromium of [CHROME, `${CHROME} Edg/157.0.0.0`]) {
      expect(adviceIn(chromium)).toMatch(/chrome:\/\/gpu/);
      expect(adviceIn(chromium)).not.toContain('about:');
    }
  });

  it.each(Object.entries(OTHERS))('names none in %s', (_, userAgent) => expect(adviceIn(userAgent)).toBe(''));
});

describe('openGpu', () => {
  const adapterless = { requestAdapter: async () => null } as unknown as GPU;

  it.each([
    { case: 'no WebGPU', gpu: undefined, says: /no WebGPU.*Chrome or Edge 127\+.*Safari 26\+.*Firefox 141\+/ },
    { case: 'no adapter', gpu: adapterless, says: /found no graphics adapter/ },
  ])('$case: an error that ends with what to do in the browser at hand', async ({ gpu, says }) => {
    for (const userAgent of [FIREFOX, CHROME, OTHERS.Safari]) {
      vi.stubGlobal('navigator', { userAgent });
      const error = await openGpu(gpu).catch((error) => error);
      expect(error).toBeInstanceOf(WebGPUUnavailableError);
      expect(error.message).toMatch(says);
      expect(error.message.endsWith(`.${advice()}`)).toBe(true);
      expect(error.message.includes('chrome:')).toBe(userAgent === CHROME);
    }
  });
});
