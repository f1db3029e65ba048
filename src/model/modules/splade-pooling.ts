import { type Module, type ReadModule, unchanged } from './module';

/** A number per token of the vocabulary, of a masked language model's logits (sparse_encoder/modules/splade_pooling.py). */
export interface SpladePooling extends Module {
  kind: 'SpladePooling';
  pooling_strategy: 'max' | 'sum';
  activation_function: 'relu' | 'log1p_relu';
}

export const readSpladePooling: ReadModule = (fields, path, { feature }): SpladePooling => {
  if (feature !== 'token_embeddings')
    throw fields.unsupported('SpladePooling', `there are no logits left (${feature})`);
  return {
    kind: 'SpladePooling',
    path,
    gives: 'sparse',
    task: 'mlm',
    pooling_strategy: fields.oneOf('pooling_strategy', ['max', 'sum'], 'max'),
    activation_function: fields.oneOf('activation_function', ['relu', 'log1p_relu'], 'relu'),
    ...unchanged,
  };
};
