import { convertModel } from 'modernbert-webgpu/node';
import { type Command, UsageError } from '../command';
import { FILE_OPTIONS, fileOptions, megabytes } from '../model';
import { createProgress } from '../progress';

export const convert: Command = {
  summary: 'Writes a checkpoint with smaller weights, to host yourself.',
  args: ['SOURCE', 'FOLDER'],
  details: `SOURCE is a folder, a URL, or a model on the Hugging Face Hub (org/name). FOLDER is made, whole or not at all; it must not
exist or be empty. f16 is readable by every program that reads safetensors, q8 and q4 by modernbert-webgpu.`,
  options: { dtype: { value: 'DTYPE', help: 'f16, q8 or q4; required' }, ...FILE_OPTIONS },
  async run({ args: [source, folder], values, signal }) {
    const dtype = values.choice('dtype', ['f16', 'q8', 'q4']);
    if (!dtype) throw new UsageError('--dtype is missing: f16, q8 or q4.');
    const progress = createProgress(source);
    try {
      const { bytes } = await convertModel(source, folder, {
        dtype,
        ...fileOptions(values),
        signal,
        onProgress: ({ file, loaded, total }) =>
          progress.show(total && loaded / total, `${file}, ${megabytes(loaded)}`),
      });
      progress.end(`${megabytes(bytes)} of ${dtype} weights in ${folder}`);
    } catch (error) {
      // A source that is none, a folder that is taken.
      throw error instanceof TypeError || error instanceof RangeError ? new UsageError(error.message) : error;
    } finally {
      progress.clear();
    }
  },
};
