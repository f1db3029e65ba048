import { find } from './dom';
import { startEmbeddings } from './embeddings';
import { startFillMask } from './fill-mask';

const hasWebGPU = navigator.gpu !== undefined;
const fillMask = startFillMask(find(document, '#fill-mask'));
startEmbeddings(find(document, '#embeddings'));

if (!hasWebGPU) {
  find(document, '#no-webgpu').hidden = false;
  find(document, '#insecure-page').hidden = isSecureContext;
} else if (!(navigator as { connection?: { saveData?: boolean } }).connection?.saveData) {
  // After the first paint, so that the page is there before its model.
  requestAnimationFrame(() => setTimeout(fillMask.load));
}
