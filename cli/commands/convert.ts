import { convertModel } from 'modernbert-webgpu/node';
import { type Command, UsageError } from '../command';
import { DTYPES, FILE_OPTIONS, fileOptions, megabytes, showFile } from '../model';
import { withProgress } from '../progress';

export const convert: Command = {
  summary: 'Write a checkpoint with smaller weights, to host yourself.',
  args: ['SOURCE', 'FOLDER'],
  details: `SOURCE is a folder, a URL, or a model on the Hugging Face Hub (org/name). FOLDER must be new or empty;
it appears only if the conversion succeeds, and what a killed one left is removed by the next. f32 and f16 are plain safetensors,
for other programs too; q8 and q4 are for modernbert-webgpu. A LoRA adapter is merged into its base: SOURCE may be the adapter's
folder, whose base is the one that it names, or the base, with the adapter as --adapter.`,
  options: {
    dtype: { value: 'DTYPE', help: 'f32, f16, q8 or q4 (or fp32, fp16, int8, int4); required' },
    adapter: { value: 'SOURCE', help: 'a LoRA adapter to merge' },
    ...FILE_OPTIONS,
  },
  async run({ args: [source, folder], values, signal }) {
    const dtype = values.choice('dtype', DTYPES);
    if (!dtype) throw new UsageError('--dtype is required: f32, f16, q8 or q4.');
    const options = { dtype, adapter: values.text('adapter'), ...fileOptions(values), signal };
    await withProgress(source, async (progress) => {
      try {
        const { bytes } = await convertModel(source, folder, { ...options, onProgress: showFile(progress) });
        progress.end(`${megabytes(bytes)} of ${dtype} weights in ${folder}`);
      } catch (error) {
        // An invalid source, or a folder that is not empty.
        throw error instanceof TypeError || error instanceof RangeError ? new UsageError(error.message) : error;
      }
    });
  },
};
