import { describeInDeno } from './deno-suite';

await describeInDeno('tools/deno-library.ts');
// small-encoder computes for 20 s; nano in f16 compiles for as long, and tiny-mlm runs in f16 too. tiny-tokcls has the kernels of tiny-mlm and
// tiny-seqcls; nano-embed is the library's own test above.
await describeInDeno('src/model/golden.gpu.test.ts', /small-encoder|nano with 'auto'|tiny-tokcls|nano-embed/);
