/** All calls but embed and tokenize, and what few calls of embed ask for: a part of the worker. */
import { answer } from './answer';
import { chunk } from './chunk';
import { classify } from './classify';
import { classifyTokens } from './classify-tokens';
import { chunkLists, spansOf } from './embed-chunks';
import { embedMultiVector } from './embed-multi-vector';
import { pack } from './embedding-precision';
import { entities } from './entities';
import { fillMask } from './fill-mask';
import { forward } from './forward';
import { tokensOfIds } from './given-ids';
import { rerank } from './rerank';
import { zeroShot } from './zero-shot';

export const moreCalls = {
  answer,
  chunk,
  chunkLists,
  classify,
  classifyTokens,
  embedMultiVector,
  entities,
  fillMask,
  forward,
  pack,
  rerank,
  spansOf,
  tokensOfIds,
  zeroShot,
};
