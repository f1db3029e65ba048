import { expect, it } from 'vitest';
import { zeroShotCode } from './zero-shot-code';

const choice = { name: 'org/nli', source: 'org/nli' };
const asked = {
  texts: ['He said "no".\u2028', '`$x`'],
  labels: ['sea', 'land'],
  template: 'About {}.',
  multiLabel: true,
};

it('classifies as the tab does, long texts too', async () => {
  const calls: unknown[] = [];
  const model = {
    zeroShot: async (...args: unknown[]) => {
      calls.push(args);
      return asked.texts.map(() => [{ label: 'sea', score: 0.75 }]);
    },
  };
  const outside = { loadModel: async () => model, console: { log: (...parts: unknown[]) => calls.push(parts) } };
  const { constructor: AsyncFunction } = Object.getPrototypeOf(async () => {});
  const code = zeroShotCode(choice, asked).typescript.replace(/^import .*\n/gm, '');
  await AsyncFunction(...Object.keys(outside), code)(...Object.values(outside));
  const options = { hypothesisTemplate: 'About {}.', multiLabel: true, truncate: true };
  expect(calls).toEqual([
    [asked.texts, asked.labels, options],
    [asked.texts[0], 'sea', 0.75],
    [asked.texts[1], 'sea', 0.75],
  ]);
});

it('has a command line but where a label has a comma', () => {
  expect(zeroShotCode(choice, asked).shell).toContain(
    "zero-shot org/nli --labels 'sea,land' --hypothesis-template 'About {}.' --truncate --multi-label",
  );
  expect(zeroShotCode(choice, { ...asked, labels: ['a, b', 'c'] }).shell).toBeUndefined();
});
