/**
 * Entry for labels of your own, `modernbert-webgpu/classifier`: a small classifier that learns from your examples, on top of any model that
 * embeds texts, with a measure of how good it is.
 */
export { loadClassifier } from './classifier/classify';
export { trainClassifier } from './classifier/train';
export type * from './classifier/types';
