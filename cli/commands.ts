import type { Command } from './command';
import { answer } from './commands/answer';
import { cacheDelete, cacheList } from './commands/cache';
import { classify } from './commands/classify';
import { classifyTokens } from './commands/classify-tokens';
import { convert } from './commands/convert';
import { embed } from './commands/embed';
import { embedMultiVector } from './commands/embed-multi-vector';
import { evaluate } from './commands/evaluate';
import { fillMask } from './commands/fill-mask';
import { indexFiles } from './commands/index-files';
import { rerank } from './commands/rerank';
import { search } from './commands/search';
import { serve } from './commands/serve';
import { zeroShot } from './commands/zero-shot';

/** All commands by name (one or two words), in the order of the help. */
export const COMMANDS: Record<string, Command> = {
  embed,
  'embed-multi-vector': embedMultiVector,
  'fill-mask': fillMask,
  classify,
  'zero-shot': zeroShot,
  'classify-tokens': classifyTokens,
  rerank,
  answer,
  search,
  evaluate,
  serve,
  index: indexFiles,
  convert,
  'cache list': cacheList,
  'cache delete': cacheDelete,
};
