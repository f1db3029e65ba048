import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ModelFileError } from '../api/errors';
import { numberedBytes } from '../formats/fixtures';
import { readBytes, streamBytes } from '../formats/read';
import { folderFiles } from './folder';
import { openFiles } from './source';

let root: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'folder files-'));
  await mkdir(join(root, '1_Pooling'));
  await writeFile(join(root, '1_Pooling', 'config.json'), '{}');
  await writeFile(join(root, 'empty'), '');
  await writeFile(join(root, 'weights'), numberedBytes(2_500_000));
});

afterAll(() => rm(root, { recursive: true }));

describe('folderFiles', () => {
  it('reads files, large, small and empty, by path and by file: URL', async () => {
    for (const path of [root, `${root}/`, relative('.', root), pathToFileURL(root).href]) {
      const files = folderFiles(path);
      if (!files) expect.fail(`no folder ${path}`);
      expect((await files.open('weights'))?.size).toBe(2_500_000);
      expect(Buffer.compare((await readBytes(files, 'weights')) ?? Buffer.of(), numberedBytes(2_500_000))).toBe(0);
      expect(await readBytes(files, '1_Pooling/config.json')).toEqual(new TextEncoder().encode('{}'));
      expect(await readBytes(files, 'empty')).toEqual(new Uint8Array());
    }
  });

  it('returns undefined for anything but a folder, and anything but a file in it', async () => {
    expect(folderFiles(join(root, 'nothing'))).toBeUndefined();
    expect(folderFiles(join(root, 'weights'))).toBeUndefined();
    const files = folderFiles(root);
    for (const name of ['nothing', '1_Pooling', 'weights/config.json']) expect(await files?.open(name)).toBeUndefined();
  });

  it('follows links out of the folder: the Hub keeps its files so', async () => {
    const model = join(root, 'linked');
    await mkdir(model);
    await symlink(join(root, 'weights'), join(model, 'model.safetensors'));
    await symlink(join(root, '1_Pooling'), join(model, '1_Pooling'));
    await symlink(join(model, 'round'), join(model, 'round'));
    const files = openFiles(model, { folder: folderFiles });
    expect((await files.open('model.safetensors'))?.size).toBe(2_500_000);
    expect(await readBytes(files, '1_Pooling/config.json')).toHaveLength(2);
    await expect(files.open('round')).rejects.toThrow(/^Cannot open .*round: ELOOP/);
    await expect(files.open('round')).rejects.toBeInstanceOf(ModelFileError);
    expect(() => folderFiles(join(model, 'round'))).toThrow(ModelFileError);
    expect(() => folderFiles('x'.repeat(9999))).toThrow(/^Cannot open x{100}: ENAMETOOLONG/);
    expect(folderFiles(join(root, 'weights', 'x'))).toBeUndefined();
  });

  it('names the folder when a required file does not exist', async () => {
    const files = openFiles(root, { folder: folderFiles });
    await expect(readBytes(files, 'config.json', { required: true })).rejects.toThrow(
      `There is no config.json in ${root}.`,
    );
  });

  it('can be cancelled in the middle or before the start, and aborted', async () => {
    const files = openFiles(root, { folder: folderFiles });
    const file = await files.open('weights');
    if (!file) expect.fail('no weights');
    for await (const chunk of streamBytes(file, {})) {
      expect(chunk.length).toBe(1 << 20);
      break;
    }
    await (await files.open('weights'))?.stream.cancel();
    const controller = new AbortController();
    const reading = readBytes(files, 'weights', {
      signal: controller.signal,
      onProgress: ({ loaded }) => loaded > 0 && controller.abort(),
    });
    await expect(reading).rejects.toMatchObject({ name: 'AbortError' });
    await expect(files.open('weights', controller.signal)).rejects.toMatchObject({ name: 'AbortError' });
  });

  it("passes on the system's error when a file disappears before it is read", async () => {
    const path = join(root, 'short-lived');
    await writeFile(path, 'x');
    const files = openFiles(root, { folder: folderFiles });
    const file = await files.open('short-lived');
    if (!file) expect.fail('no file');
    await rm(path);
    const reading = streamBytes(file, {}).next();
    await expect(reading).rejects.toThrow('Reading short-lived stopped after 0 of 1 bytes: ENOENT');
    await expect(reading).rejects.toBeInstanceOf(ModelFileError);
  });
});
