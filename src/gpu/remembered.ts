/** What is found out about a device is remembered until the next visit. */
import { userAgent } from './browser';
import type { AdapterInfo } from './profile';

/** Stores values between visits. Both methods may fail: the value is then found out again. */
export interface DeviceStore {
  get(key: string): Promise<unknown>;
  set(key: string, value: unknown): Promise<void>;
}

/** The adapter's names; undefined if it has none, as in Firefox. */
export function adapterNames({ vendor, architecture, device, description }: AdapterInfo): string[] | undefined {
  const names = [vendor, architecture, device, description];
  return names.some(Boolean) ? names : undefined;
}

/** What to call an adapter in messages. */
export const adapterName = ({ description, vendor }: AdapterInfo): string => description || vendor || 'unnamed';

/** The version of what implements WebGPU: of the browser, or else of Node. */
export const runtimeVersion = (): string => userAgent() || (globalThis.process?.version ?? '');

/** A hash of 32 bits. */
export function hashOf(text: string): number {
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0;
  return hash >>> 0;
}
