/** All calls but embed and tokenize: a part of the worker. */
import { answer } from './answer';
import { chunk } from './chunk';
import { classify } from './classify';
import { classifyTokens } from './classify-tokens';
import { embedMultiVector } from './embed-multi-vector';
import { entities } from './entities';
import { fillMask } from './fill-mask';
import { forward } from './forward';
import { rerank } from './rerank';
import { zeroShot } from './zero-shot';

export const moreCalls = {
  answer,
  chunk,
  classify,
  classifyTokens,
  embedMultiVector,
  entities,
  fillMask,
  forward,
  rerank,
  zeroShot,
};
