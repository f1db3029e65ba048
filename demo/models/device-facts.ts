// What the page can find out about this device, for its recommendations.
import { isSupported, listCached, type Support } from '../../src/index';
import { adapterName } from '../status-line';
import { type DeviceFacts, isLanguage } from './recommend';

/** The part of the facts that the device says, with what to call its GPU and what is wrong with it. */
export interface Device extends Omit<DeviceFacts, 'language'> {
  adapter: string | undefined;
  message: string | undefined;
}

interface Hints {
  deviceMemory?: number;
  connection?: { saveData?: boolean; downlink?: number };
}

let support: Promise<Support> | undefined;

/** Asks the library about the GPU once per page, and what is kept each time. Resolves also where nothing can be found out. */
export async function readDevice(): Promise<Device> {
  support ??= isSupported();
  const [found, kept] = await Promise.all([
    support.catch((error: Error): Support => {
      support = undefined; // the next one to ask tries again
      return { supported: false, message: error.message };
    }),
    listCached().catch(() => []),
  ]);
  const { deviceMemory, connection } = navigator as Hints;
  const { adapter } = found;
  return {
    gpu: !found.supported ? 'none' : adapter?.isSoftware ? 'software' : 'hardware',
    maxTensor: adapter && Math.min(adapter.maxBufferSize, adapter.maxStorageBufferBindingSize),
    memory: deviceMemory && deviceMemory * 2 ** 30,
    savesData: connection?.saveData ?? false,
    downlink: connection?.downlink ? connection.downlink * 1e6 : undefined,
    kept: kept.map(({ source }) => source),
    adapter: adapter && adapterName(adapter),
    message: found.message,
  };
}

/** The language of the user's texts, as far as the browser knows: the first that it is set to. */
export const firstLanguage = (languages: readonly string[] = navigator.languages): string =>
  languages.map((tag) => tag.split('-')[0]).find(isLanguage) ?? 'en';
