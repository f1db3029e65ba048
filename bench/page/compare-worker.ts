/// <reference lib="webworker" />
// Compares architectures off the page's thread.
import { ARCHITECTURES } from '../architectures';
import { CASES } from '../cases';
import { compareArchitectures } from '../compare';
import type { CompareAnswer, CompareJob } from './messages';

const post = (answer: CompareAnswer) => postMessage(answer);

async function run({ size, tokens, layers }: CompareJob): Promise<CompareAnswer> {
  try {
    const done = await compareArchitectures({
      gpu: navigator.gpu,
      architectures: ARCHITECTURES.filter((architecture) => architecture.class === size),
      cases: CASES,
      tokens,
      layers,
      log: (line) => post({ log: line }),
      onStep: (step) => post({ step }),
      onResult: (soFar) => post({ soFar }),
    });
    return { done };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

addEventListener('message', ({ data }: MessageEvent<CompareJob>) => void run(data).then(post));
