/** For tests: a model that echoes its calls, behind a MessageChannel that stands in for a Worker. */
import { expose } from 'comlink';
import { vi } from 'vitest';
import type { Model, ModelInfo } from '../api/types';
import { loadModel } from './client';
import { createSession } from './worker-session';

export const info = { task: 'mlm', maxTokens: 8192, hiddenSize: 2 } as ModelInfo;

/** A model whose calls return their name and first argument; texts starting with "wait" settle only when aborted. */
export function echoModel(overrides: Partial<Model> = {}) {
  let activations = 0;
  const seen: unknown[][] = [];
  const answer =
    (name: string) =>
    async (...args: unknown[]): Promise<never> => {
      seen.push([name, ...args]);
      activations += 1;
      const { signal } = (args.at(-1) ?? {}) as { signal?: AbortSignal };
      if (String(args[0]).startsWith('wait')) {
        await new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
      }
      return [name, args[0]] as never;
    };
  const model = {
    info,
    fillMask: answer('fillMask'),
    classify: answer('classify'),
    classifyTokens: answer('classifyTokens'),
    embed: answer('embed'),
    forward: answer('forward'),
    tokenize: answer('tokenize'),
    release: async () => void seen.push(['release']),
    warm: async () => void seen.push(['warm']),
    memory: () => ({ weights: 7, activations, peak: 9 }),
    dispose: vi.fn(async () => {}),
    ...overrides,
  } as unknown as Model;
  return { model, seen };
}

const ports: MessagePort[] = [];

/** For `afterEach`: open ports keep a process alive. */
export function closePorts(): void {
  for (const port of ports.splice(0)) port.close();
}

/** The real session behind a MessageChannel that stands in for a Worker. */
export function workerDouble(...answers: Parameters<typeof createSession>) {
  const { port1, port2 } = new MessageChannel();
  ports.push(port1, port2);
  expose(createSession(...answers), port2);
  return Object.assign(port1, { terminate: vi.fn(), onerror: null }) as unknown as Worker & { terminate: () => void };
}

export async function load(overrides: Partial<Model> = {}) {
  const echo = echoModel(overrides);
  const worker = workerDouble(async () => echo.model);
  return { ...echo, worker, remote: await loadModel('./nano', { worker }) };
}
