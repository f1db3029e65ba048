/**
 * The script of the worker that all tabs share (`modernbert-webgpu/shared`), and of the worker of the one tab that computes for them where the
 * shared one has no WebGPU.
 */
import type { Joined } from './shared/messages';
import { modelServer } from './shared/serve';
import { acceptTabs } from './shared/tabs';
import { load } from './worker';

const server = modelServer(load);

if ('onconnect' in globalThis) acceptTabs(globalThis, server);
else {
  addEventListener('message', ({ data: port }: MessageEvent<MessagePort>) => {
    port.onmessage = ({ data }: MessageEvent<Joined>) => server.serve(data);
  });
}
