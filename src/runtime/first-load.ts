/** What only the first load of a model on a device runs: a part of the worker that later loads do not fetch. */
import { tuneGemm } from '../kernels/measure';
import { findWrong } from './self-check';

export const firstLoad = { findWrong, tuneGemm };
