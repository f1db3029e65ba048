import type { Model } from '../src/index';
import { count, duration, plural } from './numbers';

/** What the last run took: time, tokens, their rate and the GPU that did it. */
export function statusLine(model: Model, ms: number, tokens: number): string {
  const { vendor, architecture, device, description } = model.info.adapter;
  const gpu = description || [vendor, architecture, device].filter(Boolean).join(' ') || 'GPU of unknown make';
  return [duration(ms), plural(tokens, 'token'), `${count(Math.round((tokens / ms) * 1000))} tokens/s`, gpu].join(
    ' · ',
  );
}
