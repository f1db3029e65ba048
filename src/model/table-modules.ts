/** Modules on the CPU, for rows that are there, such as those of a table of tokens: they are computed by the kernels' plain-TypeScript twins. */
import { ModelFileError } from '../api/errors';
import { inFolder, type ModelFiles } from '../formats/model-files';
import { missingFile, type ReadOptions } from '../formats/read';
import { type Numbers, readNumbers } from '../formats/read-numbers';
import type { ACTIVATE, add, layerNorm, linear } from '../kernels/twins';
import type { Applies } from './cpu-sequence';
import type { DenseModule } from './modules/dense';
import type { Module } from './modules/module';

export interface Twins {
  ACTIVATE: typeof ACTIVATE;
  add: typeof add;
  layerNorm: typeof layerNorm;
  linear: typeof linear;
}

/** What each module that has tensors makes of a row; the first gets rows of `before` numbers. Throws a ModelFileError for a broken file. */
export async function tableModules(
  root: ModelFiles,
  { modules, before: width }: { modules: Module[]; before: number },
  twins: () => Promise<Twins>,
  options: ReadOptions,
): Promise<Applies> {
  const applies: Applies = new Map();
  let columns = width;
  for (const module of modules) {
    const before = columns;
    columns = module.columns(columns);
    if (module.kind !== 'Dense' && module.kind !== 'LayerNorm') continue;
    const files = inFolder(root, module.path);
    const file = await files.open('model.safetensors', options.signal);
    if (!file) throw missingFile(files, 'model.safetensors');
    const tensors = await readNumbers(files.keep?.(file) ?? file, ({ name }) => NAMES.includes(name), options);
    const of = (name: string, shape: number[]): Numbers['data'] => {
      const found = tensors.get(name);
      if (found && `${found.shape}` === `${shape}`) return found.data;
      const is = found ? `has the shape [${found.shape}]` : 'is missing';
      throw new ModelFileError(`${file.name}: ${name} ${is}; it must have [${shape}].`);
    };
    const own = await twins();
    applies.set(
      module.path,
      module.kind === 'Dense' ? dense(module as DenseModule, before, of, own) : norm(before, of, own),
    );
  }
  return applies;
}

const NAMES = ['linear.weight', 'linear.bias', 'residual.weight', 'norm.weight', 'norm.bias'];

type Of = (name: string, shape: number[]) => Float32Array;
type Apply = (row: Float64Array) => Float64Array;

function dense({ activation, bias, residual, columns }: DenseModule, inputs: number, of: Of, twins: Twins): Apply {
  const outputs = columns(inputs);
  const matrix = (name: string) => {
    const data = of(name, [outputs, inputs]);
    return Array.from({ length: outputs }, (_, r) => Float64Array.from(data.subarray(r * inputs, (r + 1) * inputs)));
  };
  const weight = matrix('linear.weight');
  const added = bias ? Float64Array.from(of('linear.bias', [outputs])) : undefined;
  const own = residual && inputs !== outputs ? matrix('residual.weight') : undefined;
  const activate = twins.ACTIVATE[activation ?? 'linear'];
  return (row) => {
    const out = twins.linear([row], weight, added).map((each) => each.map((x) => activate(x)));
    if (!residual) return out[0];
    return twins.add(out, own ? twins.linear([row], own) : [row])[0];
  };
}

function norm(columns: number, of: Of, { layerNorm }: Twins): Apply {
  const [weight, bias] = ['norm.weight', 'norm.bias'].map((name) => Float64Array.from(of(name, [columns])));
  return (row) => layerNorm([row], weight, bias, 1e-5)[0];
}
