/** Why this thread has no WebGPU. */
import type { Support } from '../api/support';
import { noWebgpu } from '../gpu/browser';

export const withoutWebgpu = (): Support & Required<Pick<Support, 'reason' | 'message'>> =>
  globalThis.isSecureContext === false
    ? {
        supported: false,
        reason: 'insecure-context',
        message: `Browsers have WebGPU only on pages that came over https or from localhost; this one came from ${globalThis.location?.origin}.`,
      }
    : { supported: false, reason: 'no-webgpu', message: noWebgpu() };
