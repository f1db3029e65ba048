import { describe, expect, it } from 'vitest';
import { ModelFileError } from '../api/errors';
import { openFiles } from '../sources/source';
import { listCheckpointFiles } from './checkpoint';
import type { ModelFiles } from './model-files';

const filesOf = (files: Record<string, string>) =>
  openFiles(new Map(Object.entries(files).map(([name, text]) => [name, new Blob([text])])));
const indexed = (weightMap: unknown) =>
  filesOf({ 'model.safetensors.index.json': JSON.stringify({ metadata: {}, weight_map: weightMap }) });

describe('listCheckpointFiles', () => {
  it('takes model.safetensors before an index, and opens it once', async () => {
    const files = filesOf({ 'model.safetensors': 'one', 'model.safetensors.index.json': '{}' });
    const opened: string[] = [];
    const counting: ModelFiles = {
      where: files.where,
      open(name) {
        opened.push(name);
        return files.open(name);
      },
    };
    const { names, weightMap, open } = await listCheckpointFiles(counting);
    expect(names).toEqual(['model.safetensors']);
    expect(weightMap).toBeUndefined();
    const text = async () => new Response((await open('model.safetensors')).stream).text();
    expect(await text()).toBe('one');
    expect(opened).toEqual(['model.safetensors']);
    expect(await text()).toBe('one');
    expect(opened).toEqual(['model.safetensors', 'model.safetensors']);
  });

  it('lists the shards of an index, each once', async () => {
    const weight_map = { a: 'model-1.safetensors', b: 'sub/model-2.safetensors', __proto__x: 'model-1.safetensors' };
    const files = filesOf({
      'model.safetensors.index.json': JSON.stringify({ weight_map }),
      'model-1.safetensors': '1',
    });
    const { names, weightMap, open } = await listCheckpointFiles(files);
    expect(names).toEqual(['model-1.safetensors', 'sub/model-2.safetensors']);
    expect([...(weightMap ?? [])]).toEqual(Object.entries(weight_map));
    expect(await new Response((await open('model-1.safetensors')).stream).text()).toBe('1');
    await expect(open('sub/model-2.safetensors')).rejects.toThrow(
      'There is no sub/model-2.safetensors in the given files',
    );
  });

  it.each<[string, unknown, string]>([
    ['no weight_map', undefined, 'weight_map must be an object'],
    ['a list', ['model.safetensors'], 'weight_map must be an object'],
    ['an empty one', {}, 'with at least one tensor'],
    ['a number for a file', { t: 3 }, 'inside the checkpoint, it is {"t":3}'],
    ['a way up', { t: 'a/../../b' }, 'inside the checkpoint, it is {"t":"a/../../b"}'],
    ['an absolute path', { t: '/etc/b' }, 'inside'],
    ['a URL', { t: 'https://example.org/b' }, 'inside'],
    ['a path of Windows', { t: '..\\b' }, 'inside'],
    ['an encoded way up', { t: '%2e%2e/b' }, 'inside'],
    ['an empty name', { t: '' }, 'inside'],
  ])('refuses an index with %s', async (_, weightMap, message) => {
    await expect(listCheckpointFiles(indexed(weightMap))).rejects.toThrow(ModelFileError);
    await expect(listCheckpointFiles(indexed(weightMap))).rejects.toThrow(message);
  });

  it('refuses an index that is not an object', async () => {
    const files = filesOf({ 'model.safetensors.index.json': 'null' });
    await expect(listCheckpointFiles(files)).rejects.toThrow('weight_map must be an object');
  });

  it('names the files it looked for, and says that pickled weights are not supported', async () => {
    const none = listCheckpointFiles(filesOf({ 'config.json': '{}' }));
    await expect(none).rejects.toThrow(ModelFileError);
    await expect(none).rejects.toThrow(
      'There are no weights in the given files: neither model.safetensors nor model.safetensors.index.json (there are config.json).',
    );
    for (const name of ['pytorch_model.bin', 'pytorch_model.bin.index.json']) {
      const files = filesOf({ [name]: 'x' });
      await expect(listCheckpointFiles(files)).rejects.toThrow(
        `. There is ${name}, and only safetensors files are supported. Convert it in Python: from transformers import AutoModelForMaskedLM as Model; Model.from_pretrained('folder').save_pretrained('new-folder')`,
      );
      const identity = { source: 'org/name', revision: 'main' };
      await expect(listCheckpointFiles({ ...files, identity })).rejects.toThrow(
        /revision 'refs\/pr\/N', N being the number that https:\/\/huggingface\.co\/org\/name\/discussions shows\..*spaces\/safetensors\/convert.*from_pretrained\('org\/name'\)/,
      );
    }
    const adapter = listCheckpointFiles(filesOf({ 'adapter_config.json': '{}' }));
    await expect(adapter).rejects.toThrow(
      'It is a LoRA adapter: load its base, with this folder as the option adapter.',
    );
  });
});
