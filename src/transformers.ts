/**
 * Entry for code written for transformers.js, `modernbert-webgpu/transformers`: its `pipeline` for six tasks, with the same options and results,
 * on the checkpoint's own files. What differs is listed in docs/guide/migrating.md.
 */
import { wrongChoice } from './api/errors';
import type { Model, ModelSource } from './api/types';
import { loadModel, ModelFileError } from './index';
import { givenOptions, loadOptions, progressReports } from './transformers/options';
import { ALIASES, TASKS } from './transformers/tasks';
import type { Pipeline, PipelineOptions, PipelineTask } from './transformers/types';

export { Tensor } from './transformers/tensor';
export type * from './transformers/types';

/**
 * A pipeline as transformers.js makes it. `model`: as for loadModel (a Hub id, URL, folder or files), or a model that is loaded already, as Node's
 * `modernbert-webgpu/node` does; it then takes no options but `device` and `progress_callback`.
 *
 * Throws a RangeError for an unknown task, device or dtype, a TypeError for an option that cannot be honoured, and what loadModel throws. A call
 * throws what the model's call throws.
 */
export async function pipeline<T extends PipelineTask>(
  task: T,
  model: ModelSource | Model,
  options: PipelineOptions = {},
): Promise<Pipeline<T>> {
  const name = Object.hasOwn(ALIASES, task) ? ALIASES[task] : task;
  if (!Object.hasOwn(TASKS, name)) throw wrongChoice('task', [...Object.keys(TASKS), ...Object.keys(ALIASES)], task);
  if (!model) throw new TypeError(`pipeline('${task}') has no default model: name one.`);
  const given = givenOptions(options);
  const reports = given.progress_callback && progressReports(nameOf(model), given.progress_callback);
  const loaded = isModel(model) ? asLoaded(model, given) : await load(model, given, reports?.onProgress);
  reports?.ready(name);
  const run = TASKS[name as keyof typeof TASKS] as (model: Model, ...args: unknown[]) => Promise<unknown>;
  const call = (...args: unknown[]) => run(loaded, ...args);
  return Object.assign(call, { task: name, model: loaded, dispose: () => loaded.dispose() }) as unknown as Pipeline<T>;
}

const isModel = (model: ModelSource | Model): model is Model =>
  typeof (model as Model).dispose === 'function' && typeof (model as Model).info === 'object';

const nameOf = (model: ModelSource | Model): string =>
  typeof model === 'string' || model instanceof URL ? String(model) : 'the given files';

function asLoaded(model: Model, { device, progress_callback, ...rest }: PipelineOptions): Model {
  const [option] = Object.keys(rest);
  if (option === undefined) return model;
  throw new TypeError(`The model is loaded already: pass the option '${option}' to loadModel.`);
}

async function load(source: ModelSource, options: PipelineOptions, onProgress: BrowserProgress): Promise<Model> {
  if (typeof Worker === 'undefined' && (options.worker ?? true) === true) {
    throw new TypeError(
      "There are no workers here. In Node, load the model by loadModel of modernbert-webgpu/node and pass it: pipeline('fill-mask', await loadModel('org/name')).",
    );
  }
  try {
    return await loadModel(source, { ...loadOptions(options), onProgress });
  } catch (cause) {
    if (!(cause instanceof ModelFileError) || !/^(onnx-community|Xenova)\//.test(String(source))) throw cause;
    throw new ModelFileError(
      `${cause.message} The repositories of onnx-community and Xenova hold ONNX copies: name the one that this copy was made from (base_model in its model card).`,
      { cause },
    );
  }
}

type BrowserProgress = NonNullable<Parameters<typeof loadModel>[1]>['onProgress'];
