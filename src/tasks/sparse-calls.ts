/** What sparse checkpoints (SPLADE) need: a part of the worker. */
import type { Head } from '../model/heads/head';
import { sparseEmbedding, USUAL_ENTRIES } from '../model/heads/sparse';
import type { SentenceConfig } from '../model/sentence';
import { decodeSparse } from './decode-sparse';
import { embedSparse } from './embed-sparse';

export const sparseCalls = {
  embedSparse,
  decodeSparse,
  /** What embedSparse usually asks for. */
  usual: ({ chains }: SentenceConfig): Head => sparseEmbedding(Object.values(chains)[0], USUAL_ENTRIES),
};
