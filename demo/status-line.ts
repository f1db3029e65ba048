import type { Model } from '../src/index';
import { count, duration, plural } from './numbers';

/** What the browser tells of the GPU, which may be little. */
export const adapterName = ({ vendor, architecture, device, description }: Model['info']['adapter']): string =>
  description || [vendor, architecture, device].filter(Boolean).join(' ') || 'GPU of unknown make';

/** What the last run took: time, tokens, their rate and the GPU that did it. */
export function statusLine(model: Model, ms: number, tokens: number): string {
  return [
    duration(ms),
    plural(tokens, 'token'),
    `${count(Math.round((tokens / ms) * 1000))} tokens/s`,
    adapterName(model.info.adapter),
  ].join(' · ');
}
