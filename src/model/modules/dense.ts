import { ModelFileError } from '../../api/errors';
import type { Activation } from '../../kernels/gemm-spec';
import { MOST_WIDTH } from '../config';
import { dense } from '../heads/rows';
import type { ReadModule } from './module';

/** torch's activation modules by their class. */
const ACTIVATIONS = new Map<string, Activation | undefined>([
  ['Identity', undefined],
  ['Tanh', 'tanh'],
  ['GELU', 'gelu'],
  ['SiLU', 'silu'],
  ['ReLU', 'relu'],
]);

/** activation(x · weightᵀ + bias) (models/Dense.py). */
export const readDense: ReadModule = (fields, path, columns) => {
  const { json, file } = fields;
  if (fields.boolean('use_residual', false)) throw fields.unsupported('use_residual', 'no residual is added');
  for (const key of ['module_input_name', 'module_output_name']) {
    if (fields.has(key) && json[key] !== 'sentence_embedding' && json[key] !== 'token_embeddings') {
      throw fields.unsupported(key, 'a Dense reads and writes the embedding');
    }
  }
  // Without the field it is sentence-transformers' default.
  const name = fields.text('activation_function') ?? 'torch.nn.modules.activation.Tanh';
  const torchClass = /^torch\.nn\.(?:.*\.)?(\w+)$/.exec(name)?.[1] ?? '';
  if (!ACTIVATIONS.has(torchClass)) {
    throw fields.unsupported('activation_function', `known are torch's ${[...ACTIVATIONS.keys()].join(', ')}`);
  }
  const activation = ACTIVATIONS.get(torchClass);
  for (const key of ['in_features', 'out_features']) {
    if (!fields.has(key)) throw new ModelFileError(`${file}: ${key} is missing.`);
  }
  const [inputs, outputs] = [fields.integer('in_features'), fields.integer('out_features', undefined, MOST_WIDTH)];
  if (inputs !== columns) {
    throw new ModelFileError(`${file}: in_features is ${inputs}, but the module before it returns ${columns} numbers.`);
  }
  const bias = fields.boolean('bias', true);
  return {
    kind: 'Dense',
    path,
    columns: () => outputs,
    place(tensors) {
      const layer = tensors.linear('linear', [outputs, inputs], { bias, quantized: false });
      return (rows) => dense(rows, 'embedding dense', layer, outputs, activation);
    },
  };
};
