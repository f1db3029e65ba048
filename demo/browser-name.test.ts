import { expect, it } from 'vitest';
import { browserName } from './browser-name';

const IPHONE = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)';
const CHROME = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/157.0.0.0 Safari/537.36';

it.each([
  [CHROME, 'chromium'],
  [`${CHROME} Edg/157.0.0.0`, 'chromium'],
  ['Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:160.0) Gecko/20100101 Firefox/160.0', 'firefox'],
  [`${IPHONE} FxiOS/160.0 Mobile/15E148 Safari/604.1`, 'other'],
  [`${IPHONE} CriOS/157.0 Mobile/15E148 Safari/604.1`, 'other'],
  [`${IPHONE} Version/27.2 Mobile/15E148 Safari/604.1`, 'other'],
])('%s: %s', (userAgent, name) => expect(browserName(userAgent)).toBe(name));
