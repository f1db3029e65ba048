import { expect, it } from 'vitest';
import { fileOf, numberedBytes } from '../formats/fixtures';
import type { ModelFiles } from '../formats/model-files';
import { readBytes } from '../formats/read';
import { type Memory, remembered } from './memory';

it('gives what was read to its end again, and what is missing, without a look; not what was cut off or unsure', async () => {
  const memory: Memory = new Map();
  const opened: string[] = [];
  const files: ModelFiles = {
    where: 'the test',
    isUnsure: (name) => name === 'unsure',
    async open(name) {
      opened.push(name);
      return name === 'a' || name === 'cut' ? fileOf(numberedBytes(5000), { name, step: 700 }) : undefined;
    },
  };
  const read = (name: string) => readBytes(remembered(files, memory), name);
  for (let i = 0; i < 2; i++) {
    expect(await read('a')).toEqual(numberedBytes(5000));
    expect([await read('none'), await read('unsure')]).toEqual([undefined, undefined]);
    const cut = (await remembered(files, memory).open('cut'))!;
    const reader = cut.stream.getReader();
    await reader.read();
    await reader.cancel();
  }
  expect(opened).toEqual(['a', 'none', 'unsure', 'cut', 'unsure', 'cut']);
});
