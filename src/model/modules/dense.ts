import { ModelFileError } from '../../api/errors';
import type { Activation } from '../../kernels/gemm-spec';
import { MOST_WIDTH } from '../config';
import { dense } from '../heads/rows';
import { checkFeature, type Module, type ReadModule } from './module';

export interface DenseModule extends Module {
  activation: Activation | undefined;
  bias: boolean;
  residual: boolean;
}

/** torch's activation modules by their class. */
const ACTIVATIONS = new Map<string, Activation | undefined>([
  ['Identity', undefined],
  ['Tanh', 'tanh'],
  ['GELU', 'gelu'],
  ['SiLU', 'silu'],
  ['ReLU', 'relu'],
  ['LeakyReLU', 'leaky_relu'],
  ['Sigmoid', 'sigmoid'],
  ['Mish', 'mish'],
]);

/** activation(x · weightᵀ + bias), with use_residual plus x, or x · residualᵀ where the widths differ (base/modules/dense.py). */
export const readDense: ReadModule = (fields, path, before): DenseModule => {
  const { file } = fields;
  const isScores = before.feature === 'sentence_embedding' && fields.json.module_output_name === 'scores';
  checkFeature(fields, before, isScores ? ['scores'] : []);
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
  if (inputs !== before.columns) {
    throw new ModelFileError(
      `${file}: in_features is ${inputs}, but the module before it returns ${before.columns} numbers.`,
    );
  }
  const bias = fields.boolean('bias', true);
  const residual = fields.boolean('use_residual', false);
  return {
    kind: 'Dense',
    path,
    gives: isScores ? 'scores' : before.feature,
    activation,
    bias,
    residual,
    columns: () => outputs,
    place(tensors) {
      const shape: [number, number] = [outputs, inputs];
      const layer = tensors.linear('linear', shape, { bias, quantized: false });
      const own = residual && inputs !== outputs && tensors.linear('residual', shape, { quantized: false });
      const add = own || (residual ? 'input' : undefined);
      return { apply: (rows) => dense(rows, 'embedding dense', layer, outputs, activation, add) };
    },
  };
};
