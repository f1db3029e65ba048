/** How pipeline's options become those of loadModel. */
import { wrongChoice } from '../api/errors';
import { checkOptions, LOAD_OPTIONS, type OptionNames } from '../api/options';
import type { Progress } from '../api/types';
import type { BrowserLoadOptions } from '../index';
import type { PipelineOptions, ProgressInfo } from './types';

const DTYPES = {
  auto: 'auto',
  fp32: 'f32',
  fp16: 'f16',
  q8: 'q8',
  int8: 'q8',
  uint8: 'q8',
  q4: 'q4',
  q4f16: 'q4',
} as const;
const DEVICES = ['webgpu', 'gpu', 'auto'];

const { onProgress: _, ...LOADS } = LOAD_OPTIONS;
const OPTIONS: OptionNames<PipelineOptions> = { ...LOADS, worker: true, device: true, progress_callback: true };

const ONNX = 'it is about ONNX files, and the weights are read from model.safetensors';
/** transformers.js' options that mean nothing here, and why. */
const REFUSED: Record<string, string> = {
  config: "the checkpoint's own config.json is read",
  cache_dir:
    "in Node, load the model by modernbert-webgpu/node's loadModel with its option cacheFolder, and pass it to pipeline",
  local_files_only: 'the source decides: a path or URL of a folder is not on the Hub',
  subfolder: ONNX,
  model_file_name: ONNX,
  use_external_data_format: ONNX,
  session_options: ONNX,
};

/** The options that were given; null is transformers.js' way to leave one out. Throws a TypeError for those that cannot be honoured. */
export function givenOptions(options: object): PipelineOptions {
  const given = Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== null && value !== undefined),
  );
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(REFUSED, name)) continue;
    if (given[name] !== false)
      throw new TypeError(`pipeline has no option '${name}' here: ${REFUSED[name]}. Leave it out.`);
    delete given[name];
  }
  checkOptions('pipeline', given, OPTIONS);
  const { device = 'auto' } = given as PipelineOptions;
  if (!DEVICES.includes(device)) {
    const { message } = wrongChoice('device', DEVICES, device);
    throw new RangeError(`${message} Models run on WebGPU only.`);
  }
  return given;
}

/** What loadModel is called with. Throws a RangeError for an unknown dtype. */
export function loadOptions({
  dtype = 'fp32',
  device,
  progress_callback,
  ...rest
}: PipelineOptions): BrowserLoadOptions {
  if (!Object.hasOwn(DTYPES, dtype)) throw wrongChoice('dtype', Object.keys(DTYPES), dtype);
  return { ...rest, dtype: DTYPES[dtype] };
}

/** Reports loadModel's progress as transformers.js does. `name`: of the model. */
export function progressReports(name: string, report: (info: ProgressInfo) => void) {
  const files: Record<string, { loaded: number; total: number }> = {};
  const done = new Set<string>();
  const finish = (file: string) => {
    if (!done.has(file)) report({ status: 'done', name, file });
    done.add(file);
  };
  return {
    onProgress({ file, loaded, total }: Progress): void {
      if (!Object.hasOwn(files, file)) {
        report({ status: 'initiate', name, file });
        report({ status: 'download', name, file });
      }
      const own = { loaded, total: total ?? loaded };
      files[file] = own;
      const all = Object.values(files).reduce((sum, { loaded, total }) => ({
        loaded: sum.loaded + loaded,
        total: sum.total + total,
      }));
      report({ status: 'progress_total', name, ...all, progress: percent(all), files: structuredClone(files) });
      report({ status: 'progress', name, file, ...own, progress: percent(own) });
      if (loaded === total) finish(file);
    },
    /** Once the model is loaded. */
    ready(task: string): void {
      Object.keys(files).forEach(finish);
      report({ status: 'ready', task, model: name });
    },
  };
}

const percent = ({ loaded, total }: { loaded: number; total: number }): number =>
  total === 0 ? 100 : (100 * loaded) / total;
