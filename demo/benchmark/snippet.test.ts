import { expect, it } from 'vitest';
import { measureCode } from './snippet';

it('measures as the page does: the median without the first run', async () => {
  const durations = [9000, 300, 256, 100, 200, 700];
  const asked: unknown[] = [];
  const said: string[] = [];
  let ms = 0;
  const model = {
    warm: async () => void asked.push('warm'),
    async embed(pages: string[]) {
      asked.push(pages.length);
      ms += durations.shift()!;
    },
  };
  const outside = {
    async loadModel(address: string) {
      asked.push(address);
      return model;
    },
    performance: { now: () => ms },
    console: { log: (line: string) => said.push(line) },
  };
  const { typescript } = measureCode('https://example.org/models/nano-embed');
  const code = typescript.replace(/^import .*\n/m, '');
  const { constructor: AsyncFunction } = Object.getPrototypeOf(async () => {});
  await AsyncFunction(...Object.keys(outside), code)(...Object.values(outside));
  expect(asked).toEqual(['https://example.org/models/nano-embed', 'warm', 64, 64, 64, 64, 64, 64]);
  expect(said).toEqual(['1000 pages: 4 s']); // 1000 / 64 · 256 ms
});
