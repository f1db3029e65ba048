import { expect, it } from 'vitest';
import { folderFiles } from './folder-files';

const picked = (path: string) =>
  Object.assign(new File(['x'], path.split('/').at(-1) ?? ''), { webkitRelativePath: path });

it('names files relative to the picked folder, subfolders included', () => {
  const { name, source } = folderFiles([picked('my-model/config.json'), picked('my-model/1_Pooling/config.json')]);
  expect(name).toBe('my-model');
  expect([...source.keys()]).toEqual(['config.json', '1_Pooling/config.json']);
});

it('says what is wrong with a folder that holds no model', () => {
  expect(() => folderFiles([])).toThrow('Choose a folder first');
  expect(() => folderFiles([picked('models/nano/config.json')])).toThrow('The folder models has no config.json');
});
