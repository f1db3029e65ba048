import { addRows } from '../../kernels/add_rows';
import { paddedWidth } from '../../kernels/layout';
import type { Step } from '../../kernels/step';
import { activation } from '../blocks';
import type { Encoder, PassSizes } from '../family';
import type { ReadModule } from './module';

/**
 * Token embeddings as the weighted mean of the hidden states of the layers from `layer_start` on; 0 is the embeddings, and the last one is the
 * last hidden state (sentence_transformer/modules/weighted_layer_pooling.py).
 */
export const readWeightedLayerPooling: ReadModule = (fields, path, { feature, columns, hasLayers }) => {
  const { integer, json, wrong, unsupported } = fields;
  if (!hasLayers)
    throw unsupported('WeightedLayerPooling', 'it must come first, and config.json must say output_hidden_states');
  const last = integer('num_hidden_layers', 12);
  const { layer_start = 4 } = json;
  const start = Number(layer_start);
  if (!Number.isInteger(layer_start) || start < 0 || start > last)
    throw wrong('layer_start', `an integer from 0 to ${last}`);
  const count = last + 1 - start;
  const stride = paddedWidth(columns);
  const mean = activation('layer mean', 'f32', stride);
  const spec = { stride, sumStride: stride, columns };
  return {
    kind: 'WeightedLayerPooling',
    path,
    gives: feature,
    columns: (before) => before,
    place(tensors) {
      const weights = tensors.vector('layer_weights', count);
      const term = (index: number) => ({ index, weights: count, isFirst: index === 0 });
      /** The term of the hidden states after so many layers, if they count; the last ones are not normed yet. */
      const after = ({ hidden_states, layers }: Encoder, depth: number): Step<PassSizes>[] => {
        if (layers.length !== last) throw wrong('num_hidden_layers', `config.json's ${layers.length}`);
        if (depth < start || depth === last) return [];
        const buffers = { rows: hidden_states, weights, sum: mean };
        return [addRows({ ...spec, term: term(depth - start) }, buffers, (s: PassSizes) => s.tokens)];
      };
      return {
        extend: (encoder) => ({
          ...encoder,
          embeddings: [...encoder.embeddings, ...after(encoder, 0)],
          layers: encoder.layers.map((steps, i) => [...steps, ...after(encoder, i + 1)]),
        }),
        apply(rows) {
          const slot = { label: 'head b', per: rows.slot.per, bytes: stride * 4 };
          const tokens = (s: PassSizes) => s.tokens;
          const own = { ...term(count - 1), isFirst: true };
          const steps = [
            addRows({ ...spec, stride: rows.stride, term: own }, { rows: rows.slot, weights, sum: slot }, tokens),
          ];
          if (start < last) steps.push(addRows(spec, { rows: mean, weights: undefined, sum: slot }, tokens));
          return { slot, stride, columns, steps: [...rows.steps, ...steps] };
        },
      };
    },
  };
};
