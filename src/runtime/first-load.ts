/** What only the first load of a model on a device runs: a part of the worker that later loads do not fetch. */
import { tuneGemm } from '../kernels/measure';
import { ACTIVATE, add, layerNorm, linear } from '../kernels/twins';
import { tuneAttention } from './measure-attention';
import { retune } from './retune';
import { findWrong } from './self-check';

/** `twins`: for modules after a table of tokens, which have no GPU. */
export const firstLoad = { findWrong, retune, tuneAttention, tuneGemm, twins: { ACTIVATE, add, layerNorm, linear } };
