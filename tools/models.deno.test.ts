import { describeInDeno } from './deno-suite';

await describeInDeno('tools/deno-library.ts');
// small-encoder computes for 20 s, and nano in f16 compiles for as long. tiny-tokcls has the kernels of tiny-mlm and tiny-seqcls; nano-embed is
// the library's own test above.
await describeInDeno('src/model/golden.gpu.test.ts');
await describeInDeno('src/model/golden-tasks.gpu.test.ts', /small-encoder|tiny-tokcls/);
await describeInDeno('src/model/golden-f16.gpu.test.ts', /nano with 'auto'/);
