import { ModelFileError } from '../../api/errors';
import { normed } from '../heads/rows';
import { checkFeature, type ReadModule } from './module';

/** torch.nn.LayerNorm with its default epsilon (sentence_transformer/modules/layer_norm.py). */
export const readLayerNorm: ReadModule = (fields, path, before) => {
  const dimension = fields.integer('dimension');
  if (before.feature !== 'sentence_embedding') throw fields.unsupported('LayerNorm', 'it must come after a Pooling');
  checkFeature(fields, before);
  if (dimension !== before.columns) {
    throw new ModelFileError(
      `${fields.file}: dimension is ${dimension}, but the module before it returns ${before.columns} numbers.`,
    );
  }
  return {
    kind: 'LayerNorm',
    path,
    gives: before.feature,
    columns: (columns) => columns,
    place(tensors) {
      const norm = tensors.norm('norm', dimension, 1e-5, true);
      return { apply: (rows) => normed(rows, norm) };
    },
  };
};
